// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Storage.Content;

/// <summary>The bytes of an upload while they come: reading waits for the next, and ends when the upload is verified and committed.</summary>
/// <remarks>
/// They are read from the upload's file, so that a slow reader holds up nobody and holds no memory. Whatever else becomes of the upload
/// is refused as unavailable, also when all bytes were there: what was made of them then is to be dropped.
/// </remarks>
public sealed class ArrivingStream : ReadStream
{
    private readonly SafeFileHandle _file;
    private readonly Arrival _arrival;
    private readonly string _subject;
    private long _position;
    private volatile bool _isGivenUp;

    internal ArrivingStream(SafeFileHandle file, Arrival arrival, string subject) => (_file, _arrival, _subject) = (file, arrival, subject);

    /// <inheritdoc />
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>Ends a read that waits, and refuses further ones as given up. May be called from any thread.</summary>
    public void GiveUp()
    {
        _isGivenUp = true;
        _arrival.Wake();
    }

    /// <inheritdoc />
    /// <exception cref="RefusedException">Unavailable: the upload ended without being committed.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public override int Read(Span<byte> buffer)
    {
        long? available = _arrival.WaitBeyond(_position, () => !_isGivenUp);
        if (_isGivenUp)
        {
            throw new OperationCanceledException($"{_subject}: reading was given up");
        }

        if (available is not { } there)
        {
            throw Ended();
        }

        int wanted = (int)Math.Min(buffer.Length, there - _position);
        int read = wanted == 0 ? 0 : RandomAccess.Read(_file, buffer[..wanted], _position);
        if (read == 0 && wanted > 0)
        {
            // The file was cut under the reader; its upload says so with the next look, if it has not yet.
            throw Ended();
        }

        _position += read;
        return read;
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    private RefusedException Ended() => new(Error.Unavailable($"{_subject}: the upload ended before it was whole"));
}
