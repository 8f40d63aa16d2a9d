// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Fetching;
using CsCheck;

namespace Containerd.Actors.Registry.Tests.Fetching;

public sealed class RangedPiecesSpecs : IDisposable
{
    private const int RangeBytes = 8_000;
    private const int Connections = 4;

    private static readonly byte[] Blob = RandomNumberGenerator.GetBytes(100_000);
    private static readonly Descriptor BlobDescriptor = new(MediaTypes.OciLayer, Digest.Of(Blob), Blob.Length);

    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(60));

    private static RegistrySettings Settings => new()
    {
        BackoffFirst = TimeSpan.FromMilliseconds(1),
        AttemptsMax = 3,
        IdleTimeout = TimeSpan.FromSeconds(10),
        Ranges = new RangeSettings(1, 50_000, Connections, RangeBytes, TimeSpan.FromSeconds(10)),
    };

    public void Dispose() => _deadline.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(12_345)]
    public async Task A_big_blob_comes_in_ranges_that_are_handed_out_in_order(int offset)
    {
        using var server = new ScriptedServer(Part);
        using RegistrySession session = Open(server);
        Assert.Equal(Blob[offset..], await ReadAsync(session, offset));
        IEnumerable<string> ranges = Enumerable.Range(0, (Blob.Length - offset + RangeBytes - 1) / RangeBytes)
            .Select(i => $"bytes={offset + (i * RangeBytes)}-{Math.Min(offset + ((i + 1) * RangeBytes), Blob.Length) - 1}");
        Assert.Equal(ranges.Order(StringComparer.Ordinal), server.Requests.Select(seen => seen["Range"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task No_more_ranges_are_on_their_way_or_held_than_there_are_connections()
    {
        using var server = new ScriptedServer(Part);
        using RegistrySession session = Open(server);
        await using IBlobPieces pieces = await session.OpenPiecesAsync(BlobDescriptor, 0, _deadline.Token);
        int left = Blob.Length / RangeBytes;
        for (int taken = 1; await pieces.NextAsync(_deadline.Token) is { } piece; taken++)
        {
            // Behind what the reader has had a window is asked for, and no more however slow the reader is.
            int asked = taken + Math.Min(Connections, left--);
            Assert.True(SpinWait.SpinUntil(() => server.Requests.Count >= asked, TimeSpan.FromSeconds(10)));
            Assert.Equal(asked, server.Requests.Count);
            piece.Dispose();
        }
    }

    [Theory]
    [InlineData(49_999)]
    [InlineData(60_000)]
    public async Task A_blob_with_little_left_comes_in_one_stream(int left)
    {
        using var server = new ScriptedServer(Part);
        using RegistrySession session = Open(server);
        await ReadAsync(session, Blob.Length - left);
        Assert.Equal(left < 50_000, server.Requests.Count == 1);
    }

    [Fact]
    public async Task A_registry_that_knows_no_ranges_is_asked_for_all_and_not_for_ranges_again()
    {
        using var server = new ScriptedServer(_ => new Answer(200, Blob));
        using RegistrySession session = Open(server);
        Assert.Equal(Blob, await ReadAsync(session, 0));
        Assert.Equal(Blob, await ReadAsync(session, 0));
        Assert.Equal(["bytes=0-7999", null, null], server.Requests.Select(seen => seen["Range"]));
    }

    public static TheoryData<string> Lies => ["other range", "all", "nothing", "error", "not there", "hangs", "hangs within"];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task Where_one_range_is_not_to_be_had_the_rest_comes_in_one_stream_from_there(string lie)
    {
        using var server = new ScriptedServer(seen => seen["Range"] == "bytes=16000-23999"
            ? lie switch
            {
                "other range" => new Answer(206, Blob[..RangeBytes], $"Content-Range: bytes 0-7999/{Blob.Length}"),
                "all" => new Answer(200, Blob),
                "nothing" => new Answer(206, [], $"Content-Range: bytes 16000-23999/{Blob.Length}") { ContentLength = RangeBytes },
                "error" => new Answer(500, []),
                "not there" => new Answer(416, []),
                "hangs" => new Answer(206, [], $"Content-Range: bytes 16000-23999/{Blob.Length}") { ContentLength = RangeBytes, Hangs = true },
                _ => new Answer(206, Blob[16_000..17_000], $"Content-Range: bytes 16000-23999/{Blob.Length}") { ContentLength = RangeBytes, Hangs = true },
            }
            : Part(seen));
        using RegistrySession session = Open(server, Settings with { Ranges = Settings.Ranges with { Patience = TimeSpan.FromMilliseconds(300) } });
        Assert.Equal(Blob, await ReadAsync(session, 0));
        Assert.Equal("bytes=16000-", server.Requests.Last()["Range"]);
    }

    [Fact]
    public async Task A_range_that_breaks_off_is_continued()
    {
        using var server = new ScriptedServer(seen => seen["Range"] == "bytes=16000-23999"
            ? new Answer(206, Blob[16_000..20_000], $"Content-Range: bytes 16000-23999/{Blob.Length}") { ContentLength = RangeBytes }
            : Part(seen));
        using RegistrySession session = Open(server);
        Assert.Equal(Blob, await ReadAsync(session, 0));
        Assert.Contains("bytes=20000-23999", server.Requests.Select(seen => seen["Range"]));
        Assert.DoesNotContain("bytes=16000-", server.Requests.Select(seen => seen["Range"]));
    }

    [Fact]
    public async Task A_range_that_brings_more_than_was_asked_for_is_cut()
    {
        using var server = new ScriptedServer(seen =>
        {
            int from = From(seen);
            return new Answer(206, Blob[from..], $"Content-Range: bytes {from}-{Blob.Length - 1}/{Blob.Length}");
        });
        using RegistrySession session = Open(server);
        Assert.Equal(Blob, await ReadAsync(session, 0));
    }

    [Fact]
    public async Task What_one_stream_says_counts()
    {
        using var none = new ScriptedServer(_ => new Answer(404, []));
        using RegistrySession missing = Open(none);
        Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAsync<RefusedException>(() => ReadAsync(missing, 0))).Error.Kind);

        using var longer = new ScriptedServer(seen => seen["Range"] is null
            ? new Answer(200, [.. Blob, 0])
            : new Answer(206, Blob[..RangeBytes], $"Content-Range: bytes 0-7999/{Blob.Length + 1}"));
        using RegistrySession other = Open(longer);
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => ReadAsync(other, 0));
        Assert.Contains($"failed size validation: {Blob.Length + 1} != {Blob.Length}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_as_many_blobs_as_there_are_turns_come_in_ranges_and_each_gives_its_turn_back()
    {
        using var server = new ScriptedServer(Part);
        using RegistrySession session = Open(server);
        await using (await session.OpenPiecesAsync(BlobDescriptor, 0, _deadline.Token))
        {
            await ReadAsync(session, 1);
            Assert.Contains("bytes=1-", server.Requests.Select(seen => seen["Range"]));
        }

        await ReadAsync(session, 2);
        Assert.DoesNotContain("bytes=2-", server.Requests.Select(seen => seen["Range"]));
        Assert.Contains("bytes=2-8001", server.Requests.Select(seen => seen["Range"]));
    }

    [Fact]
    public async Task A_reader_that_gives_up_ends_all_ranges()
    {
        using var server = new ScriptedServer(seen => From(seen) == 0
            ? Part(seen)
            : new Answer(206, [], $"Content-Range: bytes {From(seen)}-{From(seen) + RangeBytes - 1}/{Blob.Length}") { ContentLength = RangeBytes, Hangs = true });
        using RegistrySession session = Open(server);
        using var given = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token);
        IBlobPieces pieces = await session.OpenPiecesAsync(BlobDescriptor, 0, given.Token);
        Assert.Equal(RangeBytes, (await pieces.NextAsync(given.Token))!.Bytes.Length);
        ValueTask<BlobPiece?> next = pieces.NextAsync(given.Token);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        await pieces.DisposeAsync().AsTask().WaitAsync(_deadline.Token);
    }

    [Fact]
    public void Whatever_a_registry_does_the_bytes_are_the_blobs_or_it_is_refused() =>
        Gen.Select(Gen.Int[0, int.MaxValue - 1], Gen.Int[0, 40_000]).Sample(
            (seed, offset) =>
            {
                var random = new Random(seed);
                using var server = new ScriptedServer(seen => Misbehave(seen, random));
                using RegistrySession session = Open(server, Settings with { Ranges = Settings.Ranges with { Patience = TimeSpan.FromMilliseconds(100) }, IdleTimeout = TimeSpan.FromMilliseconds(300) });
                try
                {
                    return ReadAsync(session, offset).GetAwaiter().GetResult().AsSpan().SequenceEqual(Blob.AsSpan(offset));
                }
                catch (RefusedException)
                {
                    return true;
                }
            },
            iter: 60,
            threads: 1);

    private static Answer Misbehave(Seen seen, Random random)
    {
        int kind;
        int cut;
        lock (random)
        {
            (kind, cut) = (random.Next(16), random.Next(RangeBytes));
        }

        Answer right = Part(seen);
        int kept = Math.Min(cut, right.Body.Length);
        return kind switch
        {
            0 => right with { Body = right.Body[..kept], ContentLength = right.Body.Length },
            1 => right with { Body = right.Body[..kept], ContentLength = right.Body.Length, Hangs = true },
            2 => new Answer(503, []),
            3 => new Answer(200, Blob),
            4 => new Answer(206, right.Body, $"Content-Range: bytes {From(seen) + 1}-{From(seen) + right.Body.Length}/{Blob.Length}"),
            5 => new Answer(206, right.Body[..kept], $"Content-Range: bytes {From(seen)}-{From(seen) + kept - 1}/{Blob.Length}"),
            _ => right,
        };
    }

    private static int From(Seen seen) =>
        seen["Range"] is { } range ? int.Parse(range["bytes=".Length..range.IndexOf('-', StringComparison.Ordinal)], CultureInfo.InvariantCulture) : 0;

    private static Answer Part(Seen seen)
    {
        if (seen["Range"] is not { } range)
        {
            return new Answer(200, Blob);
        }

        string last = range[(range.IndexOf('-', StringComparison.Ordinal) + 1)..];
        int from = From(seen);
        int end = last.Length == 0 ? Blob.Length : int.Parse(last, CultureInfo.InvariantCulture) + 1;
        return new Answer(206, Blob[from..end], $"Content-Range: bytes {from}-{end - 1}/{Blob.Length}");
    }

    private static RegistrySession Open(ScriptedServer server, RegistrySettings? settings = null) =>
        new RegistryClient(settings ?? Settings).Open(ImageReference.Parse($"{server.Host}/a/b:t"));

    private async Task<byte[]> ReadAsync(RegistrySession session, long offset)
    {
        await using IBlobPieces pieces = await session.OpenPiecesAsync(BlobDescriptor, offset, _deadline.Token);
        using var all = new MemoryStream();
        while (await pieces.NextAsync(_deadline.Token) is { } piece)
        {
            all.Write(piece.Bytes.Span);
            piece.Dispose();
        }

        return all.ToArray();
    }
}
