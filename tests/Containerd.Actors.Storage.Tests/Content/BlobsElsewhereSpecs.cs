// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Tests.Content;

public sealed class BlobsElsewhereSpecs : IDisposable
{
    private static readonly byte[] Hello = Encoding.UTF8.GetBytes("hello, world");

    private readonly TemporaryDirectory _directory = new();
    private readonly Elsewhere _blobs = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_committed_ingest_goes_where_blobs_lie_and_leaves_nothing_here()
    {
        ContentStore store = ContentStore.Open(_directory["content"], blobs: _blobs);
        using Ingest ingest = store.OpenIngest("default", "r", Hello.Length);
        ingest.Write(Hello);
        CommittedBlob blob = ingest.Commit();

        Assert.Equal(new CommittedBlob(Digest.Of(Hello), Hello.Length, false), blob);
        Assert.Equal(Hello, _blobs.Held[blob.Digest]);
        Assert.Empty(Directory.EnumerateFiles(_directory["content"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void An_ingest_that_could_not_be_handed_over_is_committed_again()
    {
        ContentStore store = ContentStore.Open(_directory["content"], blobs: _blobs);
        _blobs.IsAway = true;
        using Ingest ingest = store.OpenIngest("default", "r");
        ingest.Write(Hello);
        Assert.Equal(ErrorKind.Unavailable, Assert.Throws<RefusedException>(() => ingest.Commit()).Error.Kind);
        _blobs.IsAway = false;
        Assert.Equal(Hello.Length, ingest.Commit().Size);
    }

    private sealed class Elsewhere : IBlobs
    {
        public Dictionary<Digest, byte[]> Held { get; } = [];

        public bool IsAway { get; set; }

        public long? TrySize(Digest digest) => Held.TryGetValue(digest, out byte[]? bytes) ? bytes.Length : null;

        public Stream OpenRead(Digest digest, long offset) => new MemoryStream(Held[digest][(int)offset..]);

        public bool Delete(Digest digest) => Held.Remove(digest);

        public IEnumerable<(Digest Digest, long Size)> List() => Held.OrderBy(held => held.Key).Select(held => (held.Key, (long)held.Value.Length));

        public bool Publish(string file, Digest digest, long size) => IsAway
            ? throw new RefusedException(Error.Unavailable("elsewhere is away"))
            : Held.TryAdd(digest, File.ReadAllBytes(file));
    }
}
