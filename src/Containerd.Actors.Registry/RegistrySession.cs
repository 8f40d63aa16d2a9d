// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Fetching;
using Containerd.Actors.Registry.Hosts;
using Containerd.Actors.Registry.Http;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Registry;

/// <summary>What a reference stood for when it was asked.</summary>
/// <param name="Descriptor">The manifest or index; its digest is of the bytes that came, whatever the registry said.</param>
/// <param name="Host">The host that answered.</param>
public sealed record ResolvedImage(Descriptor Descriptor, RegistryHost Host);

/// <summary>One pull's dealings with a registry and its mirrors: what hosts there are, and the tokens they gave.</summary>
/// <remarks>Members may be called from several threads at a time. All refusals are <see cref="RefusedException"/>s in containerd's words.</remarks>
public sealed class RegistrySession : IDisposable
{
    private readonly ImageReference _reference;
    private readonly RegistrySettings _settings;
    private readonly TimeProvider _time;
    private readonly List<HostConnection> _connections = [];
    private readonly RangeTurns _turns;
    private volatile bool _knowsNoRanges;
    private (Digest Digest, byte[] Bytes)? _resolved;

    internal RegistrySession(
        ImageReference reference, IReadOnlyList<RegistryHost> hosts, ICredentialStore credentials, RegistrySettings settings, RangeTurns turns, TimeProvider time)
    {
        _reference = reference;
        _turns = turns;
        _settings = settings;
        _time = time;
        try
        {
            foreach (RegistryHost host in hosts)
            {
                _connections.Add(new HostConnection(host, reference.Host, reference.Repository, credentials, settings, time));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Finds the manifest or index that the reference names.</summary>
    /// <exception cref="RefusedException">No host knows it, or none answers.</exception>
    public async Task<ResolvedImage> ResolveAsync(CancellationToken cancellationToken)
    {
        string target = _reference.Digest?.ToString() ?? _reference.Tag
            ?? throw Unresolved(Error.Invalid("object required"));

        // A digest needs no trust: any host that has the bytes will do.
        HostCapabilities needed = _reference.Digest is null ? HostCapabilities.Resolve : HostCapabilities.Pull;
        try
        {
            return await FirstAsync(needed, NotFound, async (connection, isLast) =>
            {
                var request = new HostRequest(HttpMethod.Head, ManifestPath(target), MediaTypes.AcceptedManifests, 0, isLast);
                using (HttpResponseMessage head = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false))
                {
                    // Some registries know no HEAD; the GET then tells.
                    if (head.StatusCode is not (HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented))
                    {
                        Check(connection, request, head);
                    }
                }

                (byte[] bytes, string? mediaType) = await GetAsync(
                    connection, request with { Method = HttpMethod.Get }, _settings.ManifestBytesMax, cancellationToken).ConfigureAwait(false);
                Descriptor descriptor = Describe(bytes, mediaType);
                if (_reference.Digest is { } wanted)
                {
                    descriptor = descriptor with { Digest = Verify(wanted, bytes) };
                }

                _resolved = (descriptor.Digest, bytes);
                return new ResolvedImage(descriptor, connection.Host);
            }).ConfigureAwait(false);
        }
        catch (RefusedException refused)
        {
            throw Unresolved(refused.Error, refused);
        }

        RefusedException NotFound() => new(Error.NotFound(_reference.ToString()));
    }

    /// <summary>The bytes of a manifest or index, of the size and digest that the descriptor says.</summary>
    /// <exception cref="RefusedException">No host has them, or they are too long.</exception>
    public async Task<byte[]> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        if (_resolved is { } resolved && resolved.Digest == descriptor.Digest && resolved.Bytes.Length == descriptor.Size)
        {
            return resolved.Bytes;
        }

        if (descriptor.Size > _settings.ManifestBytesMax)
        {
            throw new RefusedException(new Error(ErrorKind.ResourceExhausted,
                $"manifest {descriptor.Digest} of {descriptor.Size} bytes exceeds the limit of {_settings.ManifestBytesMax} bytes"));
        }

        string path = ManifestPath(descriptor.Digest.ToString());
        return await FirstAsync(HostCapabilities.Pull, () => NoContent(path), async (connection, isLast) =>
        {
            var request = new HostRequest(HttpMethod.Get, path, $"{descriptor.MediaType}, */*", 0, isLast);
            (byte[] bytes, _) = await GetAsync(connection, request, _settings.ManifestBytesMax, cancellationToken).ConfigureAwait(false);
            CheckSize(descriptor, bytes.Length);
            Verify(descriptor.Digest, bytes);
            return bytes;
        }).ConfigureAwait(false);
    }

    /// <summary>What the registry holds about an image: signatures, attestations and the like; empty when nothing is known.</summary>
    /// <remarks>distribution-spec, "Listing Referrers": asked by the API, then, where a registry does not know that, by the tag that stands for it.</remarks>
    /// <param name="subject">The manifest or index that they are about.</param>
    /// <param name="artifactType">Only those of this type; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RefusedException">A host refuses to tell, or tells something else.</exception>
    public async Task<IReadOnlyList<Descriptor>> FetchReferrersAsync(Digest subject, string? artifactType, CancellationToken cancellationToken)
    {
        string filter = artifactType is null ? "" : $"artifactType={Uri.EscapeDataString(artifactType)}";
        byte[]? document = await FindIndexAsync(HostCapabilities.Referrers, $"{_reference.Repository}/referrers/{subject}", filter, cancellationToken).ConfigureAwait(false)
            ?? await FindIndexAsync(HostCapabilities.Resolve, ManifestPath($"{subject.Algorithm}-{subject.Hex}"), "", cancellationToken).ConfigureAwait(false);
        if (document is null)
        {
            return [];
        }

        try
        {
            Index index = ImageDocuments.ReadIndex(document, _settings.ManifestBytesMax);
            return [.. index.Manifests.Where(manifest => artifactType is null || manifest.ArtifactType == artifactType)];
        }
        catch (FormatException malformed)
        {
            throw new RefusedException(Error.Invalid($"referrers of {subject}: {malformed.Message}"), malformed);
        }
    }

    /// <summary>Opens a blob at an offset; the stream ends at the descriptor's size, and mends broken connections.</summary>
    /// <remarks>The stream does not check the digest. The caller disposes it, before the session.</remarks>
    /// <param name="descriptor">The blob.</param>
    /// <param name="offset">0 up to the blob's size.</param>
    /// <param name="cancellationToken">Gives up opening.</param>
    /// <exception cref="RefusedException">No host has the blob, or it has another size there.</exception>
    public async Task<Stream> OpenBlobAsync(Descriptor descriptor, long offset, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        if (offset < 0 || offset > descriptor.Size)
        {
            throw new RefusedException(new Error(ErrorKind.OutOfRange, $"offset {offset} past content size {descriptor.Size}"));
        }

        var stream = new BlobStream((from, token) => OpenBodyAsync(descriptor, from, null, token), descriptor, offset, _settings, _time);
        try
        {
            await stream.OpenAsync(cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Opens a blob at an offset, in several ranges at a time where it is big enough and the registry knows ranges.</summary>
    /// <remarks>The pieces end at the descriptor's size; their digest is not checked. The caller disposes them, before the session.</remarks>
    /// <param name="descriptor">The blob.</param>
    /// <param name="offset">0 up to the blob's size.</param>
    /// <param name="cancellationToken">Gives up opening.</param>
    /// <exception cref="RefusedException">No host has the blob, or it has another size there.</exception>
    public async Task<IBlobPieces> OpenPiecesAsync(Descriptor descriptor, long offset, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        if (_knowsNoRanges || descriptor.Size - offset < _settings.Ranges.BlobBytesMin || !_turns.TryTake())
        {
            return new StreamPieces(await OpenBlobAsync(descriptor, offset, cancellationToken).ConfigureAwait(false), descriptor.Size - offset);
        }

        var pieces = new RangedPieces(
            (from, end) => new BlobStream((at, token) => OpenBodyAsync(descriptor, at, end, token), descriptor, from, _settings, _time, end),
            (from, token) => OpenBlobAsync(descriptor, from, token),
            offset,
            descriptor.Size,
            _settings.Ranges,
            _turns,
            _time);
        try
        {
            await pieces.OpenAsync(cancellationToken).ConfigureAwait(false);
            _knowsNoRanges |= pieces.IsOneStream;
            return pieces;
        }
        catch
        {
            await pieces.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Closes all connections.</summary>
    public void Dispose()
    {
        foreach (HostConnection connection in _connections)
        {
            connection.Dispose();
        }
    }

    private string ManifestPath(string target) => $"{_reference.Repository}/manifests/{target}";

    // Null where every host that was asked said that there is nothing at this address.
    private Task<byte[]?> FindIndexAsync(HostCapabilities needed, string path, string query, CancellationToken cancellationToken)
    {
        if (!_connections.Exists(connection => connection.Host.Capabilities.HasFlag(needed)))
        {
            return Task.FromResult<byte[]?>(null);
        }

        return FirstAsync<byte[]?>(needed, null, async (connection, isLast) =>
        {
            var request = new HostRequest(HttpMethod.Get, path, MediaTypes.OciIndex, 0, isLast) { Query = query };
            (byte[] bytes, _) = await GetAsync(connection, request, _settings.ManifestBytesMax, cancellationToken).ConfigureAwait(false);
            return bytes;
        });
    }

    // With an end only an answer that is a part will do: all of the blob would come again with each part.
    private Task<BodyReader> OpenBodyAsync(Descriptor descriptor, long offset, long? end, CancellationToken cancellationToken)
    {
        string path = $"{_reference.Repository}/blobs/{descriptor.Digest}";
        return FirstAsync(HostCapabilities.Pull, () => NoContent(path), async (connection, isLast) =>
        {
            var request = new HostRequest(HttpMethod.Get, path, $"{descriptor.MediaType}, */*", offset, isLast) { End = end };
            HttpResponseMessage response = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
            try
            {
                Check(connection, request, response);
                long skip = BlobRange.Check(response, descriptor, offset, mustBePart: end is not null);
                BodyReader body = await BodyReader.OpenAsync(response, _settings.IdleTimeout, _time, cancellationToken).ConfigureAwait(false);
                await BlobRange.SkipAsync(body, skip, cancellationToken).ConfigureAwait(false);
                return body;
            }
            catch
            {
                response.Dispose();
                throw;
            }
        });
    }

    // Hosts in order; the first failure that is not merely "not here" is the one to tell, since the later ones are mostly its echo.
    private async Task<T> FirstAsync<T>(
        HostCapabilities needed, Func<RefusedException>? notFound, Func<HostConnection, bool, Task<T>> ask)
    {
        List<HostConnection> able = _connections.FindAll(connection => connection.Host.Capabilities.HasFlag(needed));
        RefusedException? first = able.Count > 0
            ? null
            : new RefusedException(Error.NotFound($"no {needed.ToString().ToLowerInvariant()} hosts"));
        for (int i = 0; i < able.Count; i++)
        {
            try
            {
                return await ask(able[i], i == able.Count - 1).ConfigureAwait(false);
            }
            catch (NotHereException)
            {
                // The next host may have it.
            }
            catch (RefusedException refused)
            {
                first ??= refused;
            }
        }

        return first is null && notFound is null ? default! : throw first ?? notFound!();
    }

    private static void Check(HostConnection connection, HostRequest request, HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            throw new NotHereException();
        }

        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
        {
            throw Refusals.UnexpectedStatus(request.Method, connection.AddressOf(request.Path), response.StatusCode);
        }
    }

    private async Task<(byte[] Bytes, string? MediaType)> GetAsync(
        HostConnection connection, HostRequest request, int bytesMax, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            using HttpResponseMessage response = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
            Check(connection, request, response);
            try
            {
                byte[] bytes = await BodyReader.ReadAllAsync(response, bytesMax, _settings.IdleTimeout, _time, cancellationToken)
                    .ConfigureAwait(false);
                return (bytes, response.Content.Headers.ContentType?.MediaType);
            }
            catch (Exception failure) when (failure is IOException or HttpRequestException)
            {
                if (attempt >= _settings.AttemptsMax)
                {
                    throw Refusals.NoAnswer(request.Method, connection.AddressOf(request.Path), failure);
                }
            }

            await Task.Delay(HostConnection.Backoff(_settings, attempt), _time, cancellationToken).ConfigureAwait(false);
        }
    }

    private Descriptor Describe(byte[] bytes, string? announced)
    {
        string mediaType = ManifestType.Of(bytes, announced, _settings.ManifestBytesMax);
        return new Descriptor(mediaType, Digest.Of(bytes), bytes.Length);
    }

    private static Digest Verify(Digest wanted, byte[] bytes)
    {
        using System.Security.Cryptography.IncrementalHash hash = Digest.CreateHash(wanted.Algorithm);
        hash.AppendData(bytes);
        var found = Digest.FromHash(wanted.Algorithm, hash.GetHashAndReset());
        return found == wanted
            ? found
            : throw new RefusedException(Error.FailedPrecondition($"unexpected commit digest {found}, expected {wanted}"));
    }

    private static void CheckSize(Descriptor descriptor, long size)
    {
        if (descriptor.Size != size)
        {
            throw new RefusedException(Error.FailedPrecondition($"{descriptor.Digest}: failed size validation: {size} != {descriptor.Size}"));
        }
    }

    private RefusedException NoContent(string path) => new(Error.NotFound($"content at {Refusals.Text(_connections[^1].AddressOf(path))} not found"));

    private RefusedException Unresolved(Error error, Exception? inner = null) =>
        new(error.While($"failed to resolve reference \"{_reference}\""), inner);

    private sealed class NotHereException : Exception;
}
