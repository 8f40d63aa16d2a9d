// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Persistence.Stored;
using Google.Protobuf;

namespace Containerd.Actors.Persistence.Tests.Stored;

/// <summary>
/// The bytes of every manifest, forever. A new manifest is written by running these tests once with
/// <c>CONTAINERD_ACTORS_WRITE_GOLDEN=1</c>; a file that exists is never written again.
/// </summary>
public sealed class EventCodecSpecs
{
    private static readonly string Golden = Path.Combine(ProjectDirectory(), "Golden");

    public static TheoryData<string> Manifests => [.. EventCodec.Forms.Select(form => form.Manifest)];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void The_golden_bytes_of_a_manifest_are_written_and_read_the_same(string manifest)
    {
        DomainEvent sample = Assert.Single(Samples.All, value => EventCodec.Manifest(value) == manifest);
        byte[] written = EventCodec.Write(sample).Payload;
        string file = Path.Combine(Golden, manifest.Replace(':', '.'));
        if (Environment.GetEnvironmentVariable("CONTAINERD_ACTORS_WRITE_GOLDEN") == "1" && !File.Exists(file + ".bin"))
        {
            Directory.CreateDirectory(Golden);
            File.WriteAllBytes(file + ".bin", written);
            IMessage message = EventCodec.Forms.Single(form => form.Manifest == manifest).Write(sample);
            File.WriteAllText(file + ".json", new JsonFormatter(JsonFormatter.Settings.Default.WithIndentation()).Format(message) + "\n");
        }

        byte[] golden = File.ReadAllBytes(file + ".bin");

        Assert.Equal(golden, written);
        Assert.Equal(golden, EventCodec.Write(EventCodec.Read(manifest, golden)).Payload);
        Assert.Equal(AuditRendering.Detail(sample), AuditRendering.Detail(EventCodec.Read(manifest, golden)));
    }

    [Fact]
    public void Every_event_has_a_manifest_and_every_golden_file_is_one()
    {
        IEnumerable<Type> events = typeof(DomainEvent).Assembly.GetTypes().Concat(typeof(EventCodec).Assembly.GetTypes())
            .Where(type => type.IsSubclassOf(typeof(DomainEvent)) && !type.IsAbstract && type != typeof(UnreadableEvent));

        Assert.Equal(
            events.Select(type => type.FullName).Order(),
            EventCodec.Forms.Select(form => form.EventType.FullName).Order());
        Assert.Equal(
            EventCodec.Forms.Select(form => form.Manifest.Replace(':', '.')).Order(StringComparer.Ordinal),
            Directory.GetFiles(Golden, "*.bin").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_unknown_manifest_and_damaged_bytes_are_refused_by_name()
    {
        Assert.Contains(
            "unknown manifest \"task.teleported:7\"",
            Assert.Throws<FormatException>(() => EventCodec.Read("task.teleported:7", [])).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "damaged payload of \"task.exited:1\"",
            Assert.Throws<FormatException>(() => EventCodec.Read("task.exited:1", [0x0A, 0xFF])).Message,
            StringComparison.Ordinal);
    }

    private static string ProjectDirectory()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && directory.GetFiles("*.csproj").Length == 0)
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new DirectoryNotFoundException("the project of these tests");
    }
}
