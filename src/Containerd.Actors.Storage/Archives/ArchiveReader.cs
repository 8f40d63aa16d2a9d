// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Archives;

/// <summary>Reads a tar archive from a stream, entry by entry, without holding more of it than one piece.</summary>
/// <remarks>The archive is hostile: what it does wrong is a <see cref="RefusedException"/>, and memory is bounded by the limits.</remarks>
public sealed class ArchiveReader : IAsyncDisposable
{
    private const int PieceBytes = 256 * 1024;

    private readonly SniffedStream _source;
    private readonly Stream _plain;
    private readonly LayerLimits _limits;
    private readonly Pieces _pieces = new();
    private readonly TarReader _tar;
    private readonly byte[] _buffer = new byte[PieceBytes];
    private ReadOnlyMemory<byte> _rest;
    private long _size;
    private bool _isInEntry;
    private bool _hasEnded;

    private ArchiveReader(SniffedStream source, Stream plain, LayerLimits limits)
    {
        (_source, _plain, _limits) = (source, plain, limits);
        _tar = new TarReader(_pieces, limits);
    }

    /// <summary>Begins to read; the source is left open.</summary>
    /// <param name="source">The bytes of the archive.</param>
    /// <param name="sniffs">True to see by the first bytes whether it is compressed.</param>
    /// <param name="limits">Bounds on the archive.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ArchiveReader> OpenAsync(Stream source, bool sniffs, LayerLimits limits, CancellationToken cancellationToken)
    {
        var start = new byte[sniffs ? 4 : 0];
        int known = await source.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        var sniffed = new SniffedStream(source, start.AsMemory(0, known));
        return new ArchiveReader(sniffed, LayerCompressions.Decompress(sniffed, LayerCompressions.Sniff(start.AsSpan(0, known))), limits);
    }

    /// <summary>The next entry, or null at the end; what was not read of the one before is passed over.</summary>
    /// <exception cref="RefusedException">The archive is malformed or exceeds a limit.</exception>
    public async Task<TarEntry?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_pieces.Queue.TryDequeue(out object? piece))
            {
                if (_hasEnded)
                {
                    return null;
                }

                await FillAsync(cancellationToken).ConfigureAwait(false);
            }
            else if (piece is TarEntry entry)
            {
                _isInEntry = true;
                _rest = default;
                return entry;
            }
        }
    }

    /// <summary>Reads bytes of the entry; 0 at its end.</summary>
    /// <exception cref="RefusedException">The archive is malformed or exceeds a limit.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (_rest.IsEmpty && _isInEntry)
        {
            if (!_pieces.Queue.TryDequeue(out object? piece))
            {
                await FillAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            _isInEntry = piece is byte[];
            _rest = piece as byte[];
        }

        int count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return count;
    }

    /// <summary>Reads a short entry whole.</summary>
    /// <exception cref="RefusedException">It is longer than allowed.</exception>
    public async Task<byte[]> ReadAllAsync(TarEntry entry, int bytesMax, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Size > bytesMax)
        {
            throw new RefusedException(new Error(ErrorKind.ResourceExhausted, $"{entry.Name}: {entry.Size} bytes are more than {bytesMax}"));
        }

        var all = new byte[entry.Size];
        for (int offset = 0, count; (count = await ReadAsync(all.AsMemory(offset), cancellationToken).ConfigureAwait(false)) > 0;)
        {
            offset += count;
        }

        return all;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (!ReferenceEquals(_plain, _source))
        {
            await _plain.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        int count;
        try
        {
            count = await _plain.ReadAtLeastAsync(_buffer, _buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
        {
            throw LayerLimits.Malformed($"decompression failed: {failure.Message}", failure);
        }

        _size += count;
        Check();
        _tar.Feed(_buffer.AsSpan(0, count));
        if (count < _buffer.Length)
        {
            _tar.Complete();
            _hasEnded = true;
        }
    }

    private void Check()
    {
        if (_size > _limits.MaxSize)
        {
            throw LayerLimits.Exceeded(nameof(_limits.MaxSize), _limits.MaxSize);
        }

        if (!ReferenceEquals(_plain, _source) && _size > _limits.RatioGrace && _size / _limits.MaxRatio > _source.Count)
        {
            throw LayerLimits.Exceeded(nameof(_limits.MaxRatio), _limits.MaxRatio);
        }
    }

    // An entry, then its bytes, then its end; as many as fit into one piece.
    private sealed class Pieces : ITarSink
    {
        private static readonly object EndOfEntry = new();

        public Queue<object> Queue { get; } = new();

        public void Begin(TarEntry entry)
        {
            if (entry.IsSparse)
            {
                throw LayerLimits.Malformed($"entry \"{entry.Name}\": an image archive has no sparse files");
            }

            Queue.Enqueue(entry);
        }

        public void Content(long offset, ReadOnlySpan<byte> bytes) => Queue.Enqueue(bytes.ToArray());

        public void End() => Queue.Enqueue(EndOfEntry);
    }
}
