// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;
using Containerd.Actors.Linux.Compression;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Diff;

/// <summary>The uncompressed bytes of a stream, by a library of the host. Owns the decoder; leaves the source open.</summary>
/// <remarks>
/// Damaged bytes are an <see cref="InvalidDataException"/>, ones that end too early an <see cref="EndOfStreamException"/>. The source may be
/// read up to 256 KiB ahead.
/// </remarks>
internal sealed class HostDecompression(Stream source, HostDecoder decoder) : ReadStream
{
    private const int BufferSize = 256 * 1024;

    private byte[]? _buffer = ContentBuffers.Rent(BufferSize);
    private int _start;
    private int _end;
    private bool _sourceHasEnded;
    private bool _isReading;

    public override int Read(Span<byte> buffer)
    {
        byte[] input = Begin();
        try
        {
            int written;
            while (!TryDecode(input, buffer, out written))
            {
                Took(source.Read(input, 0, BufferSize));
            }

            return written;
        }
        finally
        {
            _isReading = false;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        byte[] input = Begin();
        try
        {
            int written;
            while (!TryDecode(input, buffer.Span, out written))
            {
                Took(await source.ReadAsync(input.AsMemory(0, BufferSize), cancellationToken).ConfigureAwait(false));
            }

            return written;
        }
        finally
        {
            _isReading = false;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    protected override void Dispose(bool disposing)
    {
        if (disposing && _buffer is { } buffer)
        {
            _buffer = null;
            decoder.Dispose();

            // What a read still fills cannot be lent to others.
            if (!_isReading)
            {
                ContentBuffers.Return(buffer);
            }
        }

        base.Dispose(disposing);
    }

    private byte[] Begin()
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        _isReading = true;
        return _buffer;
    }

    // False when it takes more of the source to go on.
    private bool TryDecode(byte[] input, Span<byte> buffer, out int written)
    {
        written = 0;
        while (written == 0 && !buffer.IsEmpty && !decoder.HasEnded)
        {
            if (_start == _end && !decoder.MayHold)
            {
                return _sourceHasEnded && (decoder.MayEnd ? true : throw new EndOfStreamException("unexpected EOF"));
            }

            (int read, written) = decoder.Decode(input.AsSpan(_start, _end - _start), buffer);
            _start += read;
        }

        return true;
    }

    private void Took(int count) => (_start, _end, _sourceHasEnded) = (0, count, count == 0);
}
