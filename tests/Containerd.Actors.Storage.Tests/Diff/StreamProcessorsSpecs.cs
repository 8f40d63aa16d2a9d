// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Storage.Diff;

namespace Containerd.Actors.Storage.Tests.Diff;

public sealed class StreamProcessorsSpecs
{
    private const string Layer = "application/vnd.oci.image.layer.v1.tar";
    private static readonly ImmutableDictionary<string, AnyValue> NoPayloads = ImmutableDictionary<string, AnyValue>.Empty;

    [Fact]
    public void Programs_are_chained_until_a_layer_comes_out()
    {
        StreamProcessors processors = new([Shell("two", "type/b", Layer + "+gzip", ""), Shell("one", "type/a", "type/b", "")]);
        (ImmutableArray<StreamProcessor> chain, string mediaType) = processors.Chain("type/a");
        Assert.Equal(["one", "two"], chain.Select(processor => processor.Name));
        Assert.Equal(Layer + "+gzip", mediaType);
        Assert.Empty(processors.Chain(Layer).Chain);
    }

    [Fact]
    public void What_nothing_makes_a_layer_of_is_not_served_and_a_circle_is_refused()
    {
        StreamProcessors processors = new([Shell("one", "type/a", "type/b", ""), Shell("round", "type/c", "type/c", "")]);
        Assert.Equal("unsupported diff media type: type/b: not implemented", Refused(processors, "type/a"));
        Assert.Equal("unsupported diff media type: type/x: not implemented", Refused(StreamProcessors.None, "type/x"));
        Assert.Equal("stream processors: type/c is not done after 8 programs: invalid argument", Refused(processors, "type/c"));
    }

    [Fact]
    public void Each_program_reads_what_the_one_before_it_writes()
    {
        StreamProcessors processors = new(
        [
            Shell("one", "type/a", "type/b", "tr a b; printf '[%s]' \"$STREAM_PROCESSOR_MEDIATYPE\""),
            Shell("two", "type/b", Layer, "tr b c; printf '[%s]' \"$STREAM_PROCESSOR_MEDIATYPE\""),
        ]);
        using TemporaryDirectory directory = new();
        using FileStream blob = Blob(directory, "aaa");
        using ProcessedLayer layer = processors.Start(blob, "type/a", NoPayloads, CancellationToken.None);
        Assert.Equal("ccc[type/a][type/b]", new StreamReader(layer.Stream).ReadToEnd());
        Assert.Null(layer.Failure());
        Assert.Equal(Layer, layer.MediaType);
    }

    [Fact]
    public void A_payload_is_on_descriptor_three()
    {
        StreamProcessors processors = new([Shell("one", "type/a", Layer, "cat >/dev/null; cat <&3")]);
        using TemporaryDirectory directory = new();
        using FileStream blob = Blob(directory, "aaa");
        using ProcessedLayer layer = processors.Start(
            blob, "type/a", NoPayloads.Add("one", new AnyValue("t.T", new byte[] { 7, 8 })), CancellationToken.None);
        using MemoryStream bytes = new();
        layer.Stream.CopyTo(bytes);

        // google.protobuf.Any { type_url: "t.T", value: 7 8 }
        Assert.Equal([0x0A, 3, (byte)'t', (byte)'.', (byte)'T', 0x12, 2, 7, 8], bytes.ToArray());
    }

    [Fact]
    public void A_program_that_fails_is_named_with_what_it_said()
    {
        StreamProcessors processors = new([Shell("one", "type/a", Layer, "echo no key >&2; exit 3")]);
        using TemporaryDirectory directory = new();
        using FileStream blob = Blob(directory, "aaa");
        using ProcessedLayer layer = processors.Start(blob, "type/a", NoPayloads, CancellationToken.None);
        Assert.Equal("", new StreamReader(layer.Stream).ReadToEnd());
        Assert.Equal("stream processor one: exit status 3: no key", layer.Failure()!.Text);
    }

    [Fact]
    public void A_program_that_is_not_there_is_named()
    {
        StreamProcessors processors = new([new StreamProcessor("one", ["type/a"], Layer, "/nonexistent", [], [])]);
        using TemporaryDirectory directory = new();
        using FileStream blob = Blob(directory, "aaa");
        RefusedException refused = Assert.Throws<RefusedException>(() => processors.Start(blob, "type/a", NoPayloads, CancellationToken.None));
        Assert.StartsWith("stream processor one: ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Giving_up_kills_programs_that_hang()
    {
        StreamProcessors processors = new([Shell("one", "type/a", Layer, "exec sleep 1000")]);
        using TemporaryDirectory directory = new();
        using FileStream blob = Blob(directory, "aaa");
        using CancellationTokenSource stop = new();
        using ProcessedLayer layer = processors.Start(blob, "type/a", NoPayloads, stop.Token);
        stop.Cancel();
        Assert.Equal("", new StreamReader(layer.Stream).ReadToEnd());
        Assert.Equal("stream processor one: signal 9", layer.Failure()!.Text);
    }

    private static string Refused(StreamProcessors processors, string mediaType) =>
        Assert.Throws<RefusedException>(() => processors.Chain(mediaType)).Error.Text;

    private static StreamProcessor Shell(string name, string accepts, string returns, string script) =>
        new(name, [accepts], returns, "/bin/sh", ["-c", script], []);

    private static FileStream Blob(TemporaryDirectory directory, string text)
    {
        string path = Path.Combine(directory.Path, "blob");
        File.WriteAllText(path, text);
        return File.OpenRead(path);
    }
}
