// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Tests.Content;

public sealed class ContentStoreSpecs : IDisposable
{
    private static readonly byte[] Hello = Encoding.UTF8.GetBytes("hello, world");

    private readonly TemporaryDirectory _directory = new();

    private ContentStore Store => ContentStore.Open(_directory["content"]);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_committed_ingest_is_a_blob_in_containerds_layout()
    {
        ContentStore store = Store;
        using Ingest ingest = store.OpenIngest("default", "layer-1", Hello.Length);
        ingest.Write(Hello.AsSpan(0, 5));
        ingest.Write(Hello.AsSpan(5));
        CommittedBlob blob = ingest.Commit(Hello.Length, Digest.Of(Hello));

        Assert.Equal(new CommittedBlob(Digest.Of(Hello), Hello.Length, false), blob);
        string file = _directory[$"content/blobs/sha256/{blob.Digest.Hex}"];
        Assert.Equal(Hello, File.ReadAllBytes(file));
        Assert.True(File.GetAttributes(file).HasFlag(FileAttributes.ReadOnly));
        Assert.Empty(store.ListIngests());
        Assert.Equal([(blob.Digest, 12L)], store.List());
    }

    [Fact]
    public void An_ingest_is_resumed_with_its_bytes_and_their_hash()
    {
        using (Ingest first = Store.OpenIngest("default", "a/b", 12))
        {
            first.Write(Hello.AsSpan(0, 5));
        }

        ContentStore store = Store;
        IngestStatus status = Assert.Single(store.ListIngests());
        Assert.Equal(("default", "a/b", 5L, 12L), (status.Namespace, status.Reference, status.Offset, status.Total));
        using Ingest second = store.OpenIngest("default", "a/b");
        Assert.Equal(status.StartedAt, second.StartedAt);
        Assert.Equal((5, 12), (second.Offset, second.Total));
        Assert.Equal(Digest.Of(Hello.AsSpan(0, 5)), second.CurrentDigest);
        second.Write(Hello.AsSpan(5));
        Assert.Equal(Digest.Of(Hello), second.Commit(12).Digest);
    }

    [Fact]
    public void A_wrong_size_or_digest_is_refused_and_the_ingest_stays()
    {
        using Ingest ingest = Store.OpenIngest("default", "x");
        ingest.Write(Hello);
        Digest other = Digest.Of("other"u8);

        Error size = Assert.Throws<RefusedException>(() => ingest.Commit(13)).Error;
        Assert.EndsWith("failed size validation: 12 != 13: failed precondition", size.Text, StringComparison.Ordinal);
        Error digest = Assert.Throws<RefusedException>(() => ingest.Commit(12, other)).Error;
        Assert.Equal($"unexpected commit digest {Digest.Of(Hello)}, expected {other}: failed precondition", digest.Text);
        Assert.Equal(Digest.Of(Hello), ingest.Commit(12, Digest.Of(Hello)).Digest);
    }

    [Fact]
    public void Truncation_starts_the_hash_anew()
    {
        using Ingest ingest = Store.OpenIngest("default", "x");
        ingest.Write("wrong"u8);
        ingest.Truncate(0);
        ingest.Write(Hello);

        Assert.Equal(ErrorKind.OutOfRange, Assert.Throws<RefusedException>(() => ingest.Truncate(3)).Error.Kind);
        Assert.Equal(Digest.Of(Hello), ingest.Commit().Digest);
    }

    [Theory]
    [InlineData("sha384")]
    [InlineData("sha512")]
    public void The_expected_digest_chooses_the_algorithm(string algorithm)
    {
        ContentStore store = Store;
        using var hash = Digest.CreateHash(algorithm);
        hash.AppendData(Hello);
        Digest expected = Digest.FromHash(algorithm, hash.GetCurrentHash());
        using Ingest ingest = store.OpenIngest("default", "x");
        ingest.Write(Hello);

        Assert.Equal(expected, ingest.Commit(0, expected).Digest);
        Assert.Equal(12, store.TrySize(expected));
    }

    [Fact]
    public void An_open_reference_is_locked_until_it_is_closed()
    {
        ContentStore store = Store;
        Ingest first = store.OpenIngest("default", "x");
        Error refusal = Assert.Throws<RefusedException>(() => store.OpenIngest("default", "x")).Error;
        Assert.Equal(ErrorKind.Unavailable, refusal.Kind);
        Assert.StartsWith("ref default/1/x locked for ", refusal.Message, StringComparison.Ordinal);

        using Ingest other = store.OpenIngest("other", "x");
        first.Dispose();
        using Ingest again = store.OpenIngest("default", "x");
    }

    [Fact]
    public void Duplicates_at_once_leave_one_blob_and_say_who_was_late()
    {
        ContentStore store = Store;
        Ingest[] ingests = [.. Enumerable.Range(0, 8).Select(i => store.OpenIngest("default", $"copy-{i}"))];
        CommittedBlob[] blobs = new CommittedBlob[ingests.Length];
        Parallel.For(0, ingests.Length, i =>
        {
            ingests[i].Write(Hello);
            blobs[i] = ingests[i].Commit();
        });

        Assert.All(blobs, blob => Assert.Equal(Digest.Of(Hello), blob.Digest));
        Assert.Contains(blobs, static blob => !blob.Existed);
        Assert.Empty(store.ListIngests());
        Assert.True(store.Delete(Digest.Of(Hello)));
        Assert.False(store.Delete(Digest.Of(Hello)));
    }

    [Fact]
    public void What_a_crash_left_is_passed_over_and_swept()
    {
        ContentStore store = Store;
        Directory.CreateDirectory(_directory["content/ingest/half-made"]);
        File.WriteAllText(_directory["content/ingest/half-made/startedat"], "yesterday");
        Directory.CreateDirectory(_directory["content/ingest/strange"]);
        File.WriteAllText(_directory["content/ingest/strange/ref"], "no slashes");
        File.WriteAllText(_directory["content/blobs/sha256/junk"], "junk");
        using Ingest open = store.OpenIngest("default", "x");

        Assert.Empty(store.List());
        Assert.Single(store.ListIngests());
        Assert.Equal(2, store.Sweep());
        Assert.Single(Directory.GetDirectories(_directory["content/ingest"]));
    }

    [Fact]
    public void Another_total_makes_the_ingest_anew()
    {
        ContentStore store = Store;
        using (Ingest first = store.OpenIngest("default", "x", 10))
        {
            first.Write("12345"u8);
        }

        using Ingest second = store.OpenIngest("default", "x", 11);
        Assert.Equal((0, 11), (second.Offset, second.Total));
    }

    [Fact]
    public void Aborted_and_unknown_references_are_not_found()
    {
        ContentStore store = Store;
        store.OpenIngest("default", "x").Abort();

        Assert.Equal("reference x: not found", Assert.Throws<RefusedException>(() => store.Status("default", "x")).Error.Text);
        Assert.Equal("reference x: not found", Assert.Throws<RefusedException>(() => store.Abort("default", "x")).Error.Text);
    }

    [Fact]
    public void Reading_starts_at_an_offset_and_not_behind_the_end()
    {
        ContentStore store = Store;
        using Ingest ingest = store.OpenIngest("default", "x");
        ingest.Write(Hello);
        Digest digest = ingest.Commit().Digest;

        using StreamReader reader = new(store.OpenRead(digest, 7));
        Assert.Equal("world", reader.ReadToEnd());
        Assert.Equal("read past object length 12 bytes: out of range", Assert.Throws<RefusedException>(() => store.OpenRead(digest, 13)).Error.Text);
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<RefusedException>(() => store.OpenRead(Digest.Of("none"u8))).Error.Kind);
    }
}
