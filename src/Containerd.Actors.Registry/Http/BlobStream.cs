// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Registry.Http;

/// <summary>The bytes of a blob from an offset to its end, or up to another offset, over as many connections as it takes.</summary>
/// <remarks>
/// Ends exactly there. A connection that breaks, ends early or brings nothing is replaced where it stopped; after too many
/// that brought little the stream gives up. The digest is the reader's to check: only the reader sees bytes before the offset.
/// </remarks>
internal sealed class BlobStream(
    Func<long, CancellationToken, Task<BodyReader>> open, Descriptor blob, long offset, RegistrySettings settings, TimeProvider time, long? end = null) : Stream
{
    // A connection that brought less counts as a failed attempt, so that a peer cannot keep a pull busy byte by byte.
    private const long ProgressBytes = 1024 * 1024;

    private readonly long _end = end ?? blob.Size;

    private BodyReader? _body;
    private long _position = offset;
    private long _resumedAt = offset;
    private int _failures;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => _end;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>Opens the first connection, so that a missing blob is known before the first read.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (_position < _end)
        {
            try
            {
                _body = await open(_position, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception broken) when (broken is IOException or HttpRequestException)
            {
                // The first read opens again, and counts.
            }
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_position < _end && buffer.Length > 0)
        {
            string failure;
            try
            {
                _body ??= await open(_position, cancellationToken).ConfigureAwait(false);
                int wanted = (int)Math.Min(buffer.Length, _end - _position);
                int count = await _body.ReadAsync(buffer[..wanted], cancellationToken).ConfigureAwait(false);
                if (count > 0)
                {
                    _position += count;
                    return count;
                }

                failure = "unexpected EOF";
            }
            catch (Exception broken) when (broken is IOException or HttpRequestException)
            {
                failure = broken is IdleTimeoutException ? broken.Message : "unexpected EOF";
            }

            await ResumeAsync(failure, cancellationToken).ConfigureAwait(false);
        }

        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CloseAsync().AsTask().GetAwaiter().GetResult();
        }

        base.Dispose(disposing);
    }

    private async Task ResumeAsync(string failure, CancellationToken cancellationToken)
    {
        await CloseAsync().ConfigureAwait(false);
        _failures = _position - _resumedAt >= ProgressBytes ? 1 : _failures + 1;
        _resumedAt = _position;
        if (_failures >= settings.AttemptsMax)
        {
            throw new RefusedException(Error.Unknown(
                $"failed to copy: {blob.Digest}: {failure} at {_position} of {blob.Size} bytes"));
        }

        await Task.Delay(HostConnection.Backoff(settings, _failures), time, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask CloseAsync()
    {
        if (_body is { } body)
        {
            _body = null;
            await body.DisposeAsync().ConfigureAwait(false);
        }
    }
}
