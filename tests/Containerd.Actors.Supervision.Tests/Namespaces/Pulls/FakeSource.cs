// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

/// <summary>A registry with one image of two layers, whose blobs come when they are let go.</summary>
internal sealed class FakeSource : IImageSource
{
    private readonly Dictionary<Digest, byte[]> _blobs = [];

    public FakeSource()
    {
        Layers = [Add("first layer", MediaTypes.OciLayer), Add("second layer", MediaTypes.OciLayer)];
        DiffIds = [Digest.Of("first archive"u8), Digest.Of("second archive"u8)];
        byte[] config = ImageDocuments.Write(new ImageConfig { Os = "linux", Architecture = "amd64", RootFs = new RootFs { DiffIds = DiffIds } });
        Descriptor configuration = Add(Encoding.UTF8.GetString(config), MediaTypes.OciConfig);
        byte[] manifest = ImageDocuments.Write(new Manifest { SchemaVersion = 2, MediaType = MediaTypes.OciManifest, Config = configuration, Layers = Layers });
        Target = Add(Encoding.UTF8.GetString(manifest), MediaTypes.OciManifest);
        ChainIds = [.. ChainId.Each(DiffIds).Select(id => id.ToString())];
    }

    public IReadOnlyList<Descriptor> Layers { get; }

    public IReadOnlyList<Digest> DiffIds { get; }

    public IReadOnlyList<string> ChainIds { get; }

    public Descriptor Target { get; }

    public int Resolved { get; private set; }

    /// <summary>Blobs are not given out before this is done.</summary>
    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<Descriptor> ResolveAsync(CancellationToken cancellationToken)
    {
        Resolved++;
        return Task.FromResult(Target);
    }

    public Task<byte[]> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken) => Task.FromResult(_blobs[descriptor.Digest]);

    public async Task<Stream> OpenBlobAsync(Descriptor descriptor, long offset, CancellationToken cancellationToken)
    {
        await Gate.Task.WaitAsync(cancellationToken);
        return new MemoryStream(_blobs[descriptor.Digest][(int)offset..]);
    }

    public void Dispose() => Gate.TrySetCanceled();

    private Descriptor Add(string text, string mediaType)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Digest digest = Digest.Of(bytes);
        _blobs[digest] = bytes;
        return new Descriptor(mediaType, digest, bytes.Length);
    }
}
