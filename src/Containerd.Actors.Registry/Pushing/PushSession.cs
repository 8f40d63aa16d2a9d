// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Hosts;
using Containerd.Actors.Registry.Http;

namespace Containerd.Actors.Registry.Pushing;

/// <summary>How content came to be in a registry.</summary>
public enum PushOutcome
{
    /// <summary>Its bytes were sent.</summary>
    Uploaded,

    /// <summary>It was there.</summary>
    Existed,

    /// <summary>The registry took it from another of its repositories.</summary>
    Mounted,
}

/// <summary>One push's dealings with a registry: the first host that may be pushed to, and the tokens it gave.</summary>
/// <remarks>Members may be called from several threads at a time. All refusals are <see cref="RefusedException"/>s in containerd's words.</remarks>
public sealed class PushSession : IDisposable
{
    private readonly ImageReference _reference;
    private readonly RegistrySettings _settings;
    private readonly TimeProvider _time;
    private readonly HostConnection _connection;

    internal PushSession(
        ImageReference reference, IReadOnlyList<RegistryHost> hosts, ICredentialStore credentials, RegistrySettings settings, TimeProvider time)
    {
        _reference = reference;
        _settings = settings;
        _time = time;
        RegistryHost host = hosts.FirstOrDefault(host => host.Capabilities.HasFlag(HostCapabilities.Push))
            ?? throw new RefusedException(Error.NotFound("no push hosts"));
        _connection = new HostConnection(host, reference.Host, reference.Repository, credentials, settings, time, "pull,push");
    }

    /// <summary>Brings a blob into the repository: looks, mounts, uploads.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="mountFrom">Another repository of the registry that may have it; null for none.</param>
    /// <param name="open">Opens the blob at an offset; called again after a break.</param>
    /// <param name="progress">Told how many bytes went out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RefusedException">The registry does not take it.</exception>
    public async Task<PushOutcome> PushBlobAsync(
        Descriptor blob, string? mountFrom, Func<long, Stream> open, Action<long> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        if (await ExistsAsync($"{_reference.Repository}/blobs/{blob.Digest}", blob, byTag: false, cancellationToken).ConfigureAwait(false))
        {
            return PushOutcome.Existed;
        }

        var upload = new BlobUpload(_connection, _reference.Repository, blob, open, progress, _settings, _time);
        return await upload.RunAsync(mountFrom, cancellationToken).ConfigureAwait(false) ? PushOutcome.Mounted : PushOutcome.Uploaded;
    }

    /// <summary>Puts a manifest or index into the repository, whose content must be there already.</summary>
    /// <param name="manifest">What it is.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="isTarget">True for what the reference will stand for: it gets the tag.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RefusedException">The registry does not take it.</exception>
    public async Task<PushOutcome> PushManifestAsync(
        Descriptor manifest, ReadOnlyMemory<byte> bytes, bool isTarget, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        bool byTag = isTarget && _reference.Tag is not null && (_reference.Digest is null || _reference.Digest == manifest.Digest);
        string path = $"{_reference.Repository}/manifests/{(byTag ? _reference.Tag : manifest.Digest.ToString())}";
        if (await ExistsAsync(path, manifest, byTag, cancellationToken).ConfigureAwait(false))
        {
            return PushOutcome.Existed;
        }

        var request = new HostRequest(HttpMethod.Put, path, "*/*")
        {
            Body = () =>
            {
                var content = new ReadOnlyMemoryContent(bytes);
                content.Headers.ContentType = MediaTypeHeaderValue.Parse(manifest.MediaType);
                return content;
            },
        };
        using HttpResponseMessage response = await _connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.Accepted))
        {
            throw Refusals.UnexpectedStatus(request.Method, _connection.AddressOf(request), response.StatusCode);
        }

        Refusals.CheckDigest(response, manifest.Digest);
        return PushOutcome.Uploaded;
    }

    /// <summary>Closes all connections.</summary>
    public void Dispose() => _connection.Dispose();

    private async Task<bool> ExistsAsync(string path, Descriptor content, bool byTag, CancellationToken cancellationToken)
    {
        var request = new HostRequest(HttpMethod.Head, path, $"{content.MediaType}, */*");
        try
        {
            using HttpResponseMessage response = await _connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
            return response.StatusCode switch
            {
                // A tag may stand for something else until now.
                HttpStatusCode.OK => !byTag || Refusals.DigestOf(response) == content.Digest.ToString(),
                HttpStatusCode.NotFound => false,
                _ => throw Refusals.UnexpectedStatus(request.Method, _connection.AddressOf(request), response.StatusCode),
            };
        }
        catch (RefusedException refused) when (refused.InnerException is AccessDeniedException)
        {
            // Who may write need not be allowed to look.
            return false;
        }
    }
}
