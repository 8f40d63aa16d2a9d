// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Registry;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Fetching;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Where one pull gets its bytes from.</summary>
public interface IImageSource : IDisposable
{
    /// <summary>What the reference stands for.</summary>
    Task<Descriptor> ResolveAsync(CancellationToken cancellationToken);

    /// <summary>A manifest or index, verified against its digest.</summary>
    Task<byte[]> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken);

    /// <summary>The bytes of a blob from an offset on, not verified.</summary>
    Task<IBlobPieces> OpenBlobAsync(Descriptor descriptor, long offset, CancellationToken cancellationToken);
}

/// <summary>Makes the source of one pull; the credentials are those of whoever asked for it, null when nobody has any.</summary>
public delegate IImageSource ImageSources(ImageReference reference, PullSource source, ICredentialStore? asked);

/// <summary>A registry as the source of a pull.</summary>
public sealed class RegistrySource(RegistrySession session) : IImageSource
{
    /// <summary>Sources of this kind with these settings; what a request says of hosts and credentials wins.</summary>
    public static ImageSources With(RegistrySettings settings, TimeProvider time)
    {
        var turns = new RangeTurns(settings.Ranges.BlobsMax);
        return (reference, source, asked) =>
        {
            (RegistrySettings own, ICredentialStore? credentials) = Of(reference, source, settings, asked);
            return new RegistrySource(new RegistryClient(own, time, turns).Open(reference, credentials));
        };
    }

    /// <summary>What a request says of hosts and credentials over what is configured.</summary>
    /// <remarks>Credentials come from the request, else from whoever made it, else from the configuration (null).</remarks>
    internal static (RegistrySettings Settings, ICredentialStore? Credentials) Of(
        ImageReference reference, PullSource source, RegistrySettings settings, ICredentialStore? asked)
    {
        RegistrySettings own = settings with
        {
            IsPlainHttp = source.IsPlainHttp || settings.IsPlainHttp,
            IsHttpsOnly = source.IsHttpsOnly,
            HostsDirectory = source.HostsDirectory.Length > 0 ? source.HostsDirectory : settings.HostsDirectory,
            Headers = [.. source.Headers],
        };
        ICredentialStore? credentials = source.Username.Length == 0 && source.Secret.Length == 0
            ? asked
            : CredentialStores.For(reference.Host, new Credentials { Username = source.Username, Secret = source.Secret });
        return (own, credentials);
    }

    /// <inheritdoc />
    public async Task<Descriptor> ResolveAsync(CancellationToken cancellationToken) =>
        (await session.ResolveAsync(cancellationToken).ConfigureAwait(false)).Descriptor;

    /// <inheritdoc />
    public Task<byte[]> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        session.FetchManifestAsync(descriptor, cancellationToken);

    /// <inheritdoc />
    public Task<IBlobPieces> OpenBlobAsync(Descriptor descriptor, long offset, CancellationToken cancellationToken) =>
        session.OpenPiecesAsync(descriptor, offset, cancellationToken);

    /// <inheritdoc />
    public void Dispose() => session.Dispose();
}
