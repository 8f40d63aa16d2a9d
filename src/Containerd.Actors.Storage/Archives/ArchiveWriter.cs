// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Archives;

/// <summary>Writes a tar archive into a stream. The same entries make the same bytes: there are no times, owners or names of users.</summary>
/// <remarks>The target is left open.</remarks>
[SuppressMessage("Design", "CA1001", Justification = "A stream in memory holds nothing that must be given back.")]
public sealed class ArchiveWriter
{
    // 0444, as a store keeps them.
    private const uint BlobMode = 0x124;

    // 0755.
    private const uint DirectoryMode = 0x1ED;

    private readonly Stream _target;
    private readonly MemoryStream _frame = new();
    private readonly TarWriter _tar;

    /// <summary>Writes into this stream.</summary>
    public ArchiveWriter(Stream target)
    {
        _target = target;
        _tar = new TarWriter(_frame);
    }

    /// <summary>Writes a directory; the name ends in a slash.</summary>
    public Task DirectoryAsync(string name, CancellationToken cancellationToken) =>
        FrameAsync(() => _tar.WriteHeader(new TarEntry { Name = name, Kind = TarKind.Directory, Mode = DirectoryMode }), cancellationToken);

    /// <summary>Writes a file that is in memory.</summary>
    public Task FileAsync(string name, uint mode, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        FrameAsync(
            () =>
            {
                _tar.WriteHeader(new TarEntry { Name = name, Kind = TarKind.Regular, Mode = mode, Size = bytes.Length });
                _tar.Write(bytes.Span);
                _tar.Pad(bytes.Length);
            },
            cancellationToken);

    /// <summary>Writes a blob at its place in an OCI layout, and makes sure that its bytes are those of its digest.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="content">Its bytes; not closed here.</param>
    /// <param name="buffer">Used for copying.</param>
    /// <param name="cancellationToken">Gives up; the archive is broken then.</param>
    /// <exception cref="RefusedException">The stream has other bytes, or another number of them.</exception>
    public async Task BlobAsync(Descriptor blob, Stream content, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentNullException.ThrowIfNull(content);
        string name = ImageArchive.BlobPath(blob.Digest);
        await FrameAsync(() => _tar.WriteHeader(new TarEntry { Name = name, Kind = TarKind.Regular, Mode = BlobMode, Size = blob.Size }), cancellationToken)
            .ConfigureAwait(false);
        using IncrementalHash hash = Digest.CreateHash(blob.Digest.Algorithm);
        long written = 0;
        for (int count; (count = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0; written += count)
        {
            if (count > blob.Size - written)
            {
                throw WrongSize(name);
            }

            hash.AppendData(buffer.Span[..count]);
            await _target.WriteAsync(buffer[..count], cancellationToken).ConfigureAwait(false);
        }

        if (written != blob.Size)
        {
            throw WrongSize(name);
        }

        var digest = Digest.FromHash(blob.Digest.Algorithm, hash.GetHashAndReset());
        if (digest != blob.Digest)
        {
            throw new RefusedException(new Error(ErrorKind.DataLoss, $"unexpected digest {digest} copied"));
        }

        await FrameAsync(() => _tar.Pad(blob.Size), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the end of the archive.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await FrameAsync(_tar.Finish, cancellationToken).ConfigureAwait(false);
        await _target.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task FrameAsync(Action write, CancellationToken cancellationToken)
    {
        _frame.SetLength(0);
        write();
        await _target.WriteAsync(_frame.GetBuffer().AsMemory(0, (int)_frame.Length), cancellationToken).ConfigureAwait(false);
    }

    private static RefusedException WrongSize(string name) => new(new Error(ErrorKind.DataLoss, $"unexpected copy size for {name}"));
}
