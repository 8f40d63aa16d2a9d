// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Fuzzing;
using Containerd.Actors.Persistence.Stored;

namespace Containerd.Actors.Persistence.Tests.Stored;

/// <summary>Whatever bytes the journal holds under a manifest, they are an event or refused by the manifest's name.</summary>
public sealed class EventCodecFuzzSpecs
{
    private static readonly string[] Manifests = [.. EventCodec.Forms.Select(form => form.Manifest)];
    private static readonly byte[][] Payloads = [.. Samples.All.Select(sample => EventCodec.Write(sample).Payload)];

    [Fact]
    public Task Stored_bytes_are_an_event_or_refused() => Fuzz.RunAsync(20_000, [], random =>
    {
        string manifest = Fuzz.Pick(random, Manifests);
        byte[] payload = Fuzz.Bytes(random, Payloads);
        DomainEvent read;
        try
        {
            read = EventCodec.Read(manifest, payload);
        }
        catch (FormatException refused)
        {
            Assert.Contains($"\"{manifest}\"", refused.Message, StringComparison.Ordinal);
            return;
        }

        // What was read can be told, written, and read again as the same.
        Assert.NotEmpty(AuditRendering.Detail(read));
        (string again, byte[] written) = EventCodec.Write(read);
        Assert.Equal(manifest, again);
        Assert.Equal(written, EventCodec.Write(EventCodec.Read(manifest, written)).Payload);
    });
}
