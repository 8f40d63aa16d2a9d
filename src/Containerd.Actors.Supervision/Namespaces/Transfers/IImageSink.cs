// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Registry;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Pushing;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>Where one push brings an image.</summary>
public interface IImageSink : IDisposable
{
    /// <summary>Brings a blob there, from another repository there if that has it.</summary>
    Task<PushOutcome> PushBlobAsync(Descriptor blob, string? mountFrom, Func<long, Stream> open, Action<long> progress, CancellationToken cancellationToken);

    /// <summary>Brings a manifest or index there; the target gets the tag.</summary>
    Task<PushOutcome> PushManifestAsync(Descriptor manifest, ReadOnlyMemory<byte> bytes, bool isTarget, CancellationToken cancellationToken);
}

/// <summary>Makes the place of one push; the credentials are those of whoever asked for it, null when nobody has any.</summary>
public delegate IImageSink ImageSinks(ImageReference reference, PullSource source, ICredentialStore? asked);

/// <summary>A registry as the place of a push.</summary>
public sealed class RegistrySink(PushSession session) : IImageSink
{
    /// <summary>Places of this kind with these settings; what a request says of hosts and credentials wins.</summary>
    public static ImageSinks With(RegistrySettings settings, TimeProvider time) => (reference, source, asked) =>
    {
        (RegistrySettings own, ICredentialStore? credentials) = RegistrySource.Of(reference, source, settings, asked);
        return new RegistrySink(new RegistryClient(own, time).OpenPush(reference, credentials));
    };

    /// <inheritdoc />
    public Task<PushOutcome> PushBlobAsync(
        Descriptor blob, string? mountFrom, Func<long, Stream> open, Action<long> progress, CancellationToken cancellationToken) =>
        session.PushBlobAsync(blob, mountFrom, open, progress, cancellationToken);

    /// <inheritdoc />
    public Task<PushOutcome> PushManifestAsync(Descriptor manifest, ReadOnlyMemory<byte> bytes, bool isTarget, CancellationToken cancellationToken) =>
        session.PushManifestAsync(manifest, bytes, isTarget, cancellationToken);

    /// <inheritdoc />
    public void Dispose() => session.Dispose();
}
