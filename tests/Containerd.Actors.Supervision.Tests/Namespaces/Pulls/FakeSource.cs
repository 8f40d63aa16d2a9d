// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Fetching;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

/// <summary>A registry with one image of two layers for amd64, or with an index of it and one of a single layer for arm64.</summary>
/// <remarks>Blobs come when they are let go.</remarks>
internal sealed class FakeSource : IImageSource
{
    private readonly Dictionary<Digest, byte[]> _blobs = [];

    public FakeSource(bool hasIndex = false, int layerBytes = 0)
    {
        Layers = [Add($"first layer{new string('.', layerBytes)}", MediaTypes.OciLayer), Add("second layer", MediaTypes.OciLayer)];
        DiffIds = [Digest.Of("first archive"u8), Digest.Of("second archive"u8)];
        (Target, Config) = AddImage("amd64", Layers, DiffIds);
        if (hasIndex)
        {
            OtherLayer = Add("other layer", MediaTypes.OciLayer);
            (OtherManifest, OtherConfig) = AddImage("arm64", [OtherLayer], [Digest.Of("other archive"u8)]);
            byte[] index = ImageDocuments.Write(new Index
            {
                MediaType = MediaTypes.OciIndex,
                Manifests = [Target with { Platform = new Platform("linux", "amd64") }, OtherManifest with { Platform = new Platform("linux", "arm64") }],
            });
            Target = Add(Encoding.UTF8.GetString(index), MediaTypes.OciIndex);
        }

        ChainIds = [.. ChainId.Each(DiffIds).Select(id => id.ToString())];
    }

    public IReadOnlyList<Descriptor> Layers { get; }

    public IReadOnlyList<Digest> DiffIds { get; }

    public IReadOnlyList<string> ChainIds { get; }

    public Descriptor Target { get; }

    public Descriptor Config { get; }

    public Descriptor? OtherManifest { get; }

    public Descriptor? OtherConfig { get; }

    public Descriptor? OtherLayer { get; }

    public int Resolved { get; private set; }

    public bool IsDisposed { get; private set; }

    /// <summary>Where credentials come from; asked once when the reference is resolved, if there is any.</summary>
    public ICredentialStore? Credentials { get; set; }

    /// <summary>The credentials that were found.</summary>
    public List<Credentials?> Found { get; } = [];

    /// <summary>Blobs that were opened, and at which offset.</summary>
    public ConcurrentQueue<(Digest Digest, long Offset)> Opened { get; } = new();

    /// <summary>Blobs are not given out before this is done.</summary>
    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A blob breaks off behind this many bytes, once.</summary>
    public int BreaksBehind { get; set; } = int.MaxValue;

    /// <summary>The rest of a blob that is longer than a piece comes behind this.</summary>
    public Task Rest { get; set; } = Task.CompletedTask;

    public async Task<Descriptor> ResolveAsync(CancellationToken cancellationToken)
    {
        Resolved++;
        if (Credentials is { } store)
        {
            Found.Add(await store.FindAsync("docker.io", cancellationToken));
        }

        return Target;
    }

    public Task<byte[]> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken) => Task.FromResult(_blobs[descriptor.Digest]);

    public async Task<IBlobPieces> OpenBlobAsync(Descriptor descriptor, long offset, CancellationToken cancellationToken)
    {
        await Gate.Task.WaitAsync(cancellationToken);
        Opened.Enqueue((descriptor.Digest, offset));
        byte[] blob = _blobs[descriptor.Digest];
        if (BreaksBehind < blob.Length)
        {
            int end = BreaksBehind;
            BreaksBehind = int.MaxValue;
            return new StreamPieces(new BreakingStream(blob[(int)offset..end]), blob.Length - offset);
        }

        return new StreamPieces(new HeldStream(blob[(int)offset..], Rest), blob.Length - offset);
    }

    /// <summary>From now on the registry gives other bytes of the same length for a blob.</summary>
    public void Forge(Descriptor descriptor) => _blobs[descriptor.Digest] = [.. _blobs[descriptor.Digest].Select(one => (byte)(one ^ 1))];

    public void Dispose()
    {
        IsDisposed = true;
        Gate.TrySetCanceled();
    }

    private (Descriptor Manifest, Descriptor Config) AddImage(string architecture, IReadOnlyList<Descriptor> layers, IReadOnlyList<Digest> diffIds)
    {
        byte[] config = ImageDocuments.Write(new ImageConfig { Os = "linux", Architecture = architecture, RootFs = new RootFs { DiffIds = diffIds } });
        Descriptor configuration = Add(Encoding.UTF8.GetString(config), MediaTypes.OciConfig);
        byte[] manifest = ImageDocuments.Write(new Manifest { SchemaVersion = 2, MediaType = MediaTypes.OciManifest, Config = configuration, Layers = layers });
        return (Add(Encoding.UTF8.GetString(manifest), MediaTypes.OciManifest), configuration);
    }

    private Descriptor Add(string text, string mediaType)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Digest digest = Digest.Of(bytes);
        _blobs[digest] = bytes;
        return new Descriptor(mediaType, digest, bytes.Length);
    }

    private sealed class HeldStream(byte[] bytes, Task rest) : MemoryStream(bytes)
    {
        private const int PieceBytes = 1 << 20;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position >= PieceBytes)
            {
                await rest.WaitAsync(cancellationToken);
            }

            return await base.ReadAsync(buffer[..Math.Min(buffer.Length, PieceBytes)], cancellationToken);
        }
    }

    private sealed class BreakingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // One read at a time reaches its caller before the connection breaks.
            int count = await base.ReadAsync(buffer[..Math.Min(buffer.Length, 1 << 20)], cancellationToken);
            return count > 0 ? count : throw new IOException("connection reset by peer");
        }
    }
}
