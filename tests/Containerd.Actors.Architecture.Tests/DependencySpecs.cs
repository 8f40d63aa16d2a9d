// SPDX-License-Identifier: Apache-2.0

using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Threading.Channels;
using Akka.Actor;

namespace Containerd.Actors.Architecture.Tests;

public sealed class DependencySpecs
{
    private static readonly string[] WithAkka = ["Persistence", "Supervision", "Grpc", "Daemon"];

    private static readonly string[] InputAndOutput =
    [
        "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory", "System.IO.DirectoryInfo",
        "System.Diagnostics.Process", "System.Diagnostics.Stopwatch", "System.Threading.Thread", "System.Threading.Timer",
        "System.Net.Http.HttpClient", "System.Net.Sockets.Socket", "System.Console", "System.Random",
    ];

    private static readonly string[] Clocks =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow",
        "System.Environment.get_TickCount", "System.Environment.get_TickCount64", "System.Guid.NewGuid",
        "System.TimeProvider.get_System", "System.TimeProvider.GetUtcNow",
    ];

    public static TheoryData<string> Projects => new(Product.Projects);

    [Fact]
    public void Every_project_has_its_arrows() => Assert.Equal(
        Product.Folders.Order(StringComparer.Ordinal),
        Product.Projects.Select(project => "Containerd.Actors." + project).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_only_to_where_its_arrows_lead(string project) =>
        Assert.Empty(Product.OwnReferences(project).Except(Product.Reach(project)));

    // A reference that nothing uses is not in the assembly, but would let the next change use it.
    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_file_names_only_where_its_arrows_lead(string project) =>
        Assert.Empty(Product.DeclaredReferences(project).Except(Product.Reach(project)));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Only_those_that_have_actors_know_akka(string project)
    {
        bool knows = Product.References(project).Concat(Product.DeclaredPackages(project)).Any(name => name.StartsWith("Akka", StringComparison.Ordinal));
        Assert.True(!knows || WithAkka.Contains(project), $"{project} refers to Akka");
    }

    [Theory]
    [InlineData("Oci")]
    [InlineData("Protocol")]
    [InlineData("Core")]
    public void What_is_pure_depends_on_the_platform_and_the_product_alone(string project) => Assert.DoesNotContain(
        Product.References(project),
        name => !name.StartsWith("System.", StringComparison.Ordinal) && !name.StartsWith("Containerd.Actors.", StringComparison.Ordinal));

    [Theory]
    [InlineData("Protocol")]
    [InlineData("Core")]
    public void What_is_pure_reads_no_file_opens_no_socket_and_starts_nothing(string project) =>
        Assert.Empty(Used(project).Types.Intersect(InputAndOutput));

    [Theory]
    [InlineData("Protocol")]
    [InlineData("Core")]
    public void What_is_pure_reads_no_clock(string project) => Assert.Empty(Used(project).Members.Intersect(Clocks));

    [Fact]
    public void A_use_of_files_and_of_a_clock_would_be_seen()
    {
        Assert.Contains("System.IO.File", Used("Storage").Types);
        Assert.Contains("System.TimeProvider.GetUtcNow", Used("Supervision").Members);
    }

    [Fact]
    public void Actors_live_in_the_tree_and_elsewhere_only_what_akka_hosts_and_what_feeds_a_stream()
    {
        // By name: the journal's plugins and the log, which Akka itself starts.
        string[] hosted = ["SqliteJournal", "SqliteSnapshotStore", "HostLogger"];
        IEnumerable<string> strays = WithAkka.SelectMany(project => Product.Compiled(project).GetTypes())
            .Where(type => typeof(ActorBase).IsAssignableFrom(type))
            .Where(type => !type.Namespace!.StartsWith("Containerd.Actors.Supervision", StringComparison.Ordinal))
            .Where(type => !hosted.Contains(type.Name) && !FeedsAStream(type))
            .Select(type => type.FullName!);
        Assert.Empty(strays);
    }

    // An actor of a face that is nothing but the mailbox of one call.
    private static bool FeedsAStream(Type type) => !type.IsPublic && type.Namespace!.StartsWith("Containerd.Actors.Grpc", StringComparison.Ordinal) &&
        type.GetConstructors().SelectMany(constructor => constructor.GetParameters()).Any(IsWriter);

    private static bool IsWriter(ParameterInfo parameter) =>
        parameter.ParameterType.IsGenericType && parameter.ParameterType.GetGenericTypeDefinition() == typeof(ChannelWriter<>);

    private static (HashSet<string> Types, HashSet<string> Members) Used(string project)
    {
        using PEReader file = new(File.OpenRead(Product.FileOf(project)));
        MetadataReader reader = file.GetMetadataReader();
        HashSet<string> members = [];
        foreach (MemberReference member in reader.MemberReferences.Select(reader.GetMemberReference))
        {
            if (member.Parent.Kind == HandleKind.TypeReference)
            {
                members.Add($"{Name(reader, (TypeReferenceHandle)member.Parent)}.{reader.GetString(member.Name)}");
            }
        }

        return ([.. reader.TypeReferences.Select(type => Name(reader, type))], members);
    }

    private static string Name(MetadataReader reader, TypeReferenceHandle handle)
    {
        TypeReference type = reader.GetTypeReference(handle);
        return $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
    }
}
