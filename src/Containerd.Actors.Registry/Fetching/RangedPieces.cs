// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Http;

namespace Containerd.Actors.Registry.Fetching;

/// <summary>The pieces of a blob that comes in several ranges at a time, each a piece.</summary>
/// <remarks>
/// <code>
/// position
///    |--range--|--range--|--range--|--range--| not asked for yet
///    | next    |  on their way, in any order |
/// </code>
/// Pieces are handed out in order, so that hash, offset and what can be resumed are those of one stream; what came out of order is only
/// in memory, whose bound is the window. Whatever goes wrong with ranges, the blob goes on in one stream from the position, and what that
/// says counts.
/// </remarks>
internal sealed class RangedPieces : IBlobPieces
{
    private readonly Func<long, long, BlobStream> _range;
    private readonly Func<long, CancellationToken, Task<Stream>> _whole;
    private readonly long _end;
    private readonly RangeSettings _settings;
    private readonly RangeTurns _turns;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<Range> _window = [];
    private readonly Stack<byte[]> _free = [];
    private long _position;
    private long _asked;
    private StreamPieces? _stream;
    private bool _hasTurn = true;

    /// <param name="range">A stream of the bytes between two offsets, not opened.</param>
    /// <param name="whole">Opens the blob from an offset to its end.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="end">Behind the last byte.</param>
    /// <param name="settings">Bounds.</param>
    /// <param name="turns">A turn was taken there; it is given back.</param>
    /// <param name="time">The clock.</param>
    public RangedPieces(
        Func<long, long, BlobStream> range,
        Func<long, CancellationToken, Task<Stream>> whole,
        long offset,
        long end,
        RangeSettings settings,
        RangeTurns turns,
        TimeProvider time)
    {
        (_range, _whole, _end, _settings, _turns, _time) = (range, whole, end, settings, turns, time);
        _position = _asked = offset;
    }

    /// <summary>True once ranges turned out not to be had.</summary>
    public bool IsOneStream => _stream is not null;

    /// <summary>Asks for the first range alone, whose answer tells whether the registry knows ranges.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        BlobStream first = Cut();
        try
        {
            await first.OpenAsync(cancellationToken).ConfigureAwait(false);
            Begin(first);
        }
        catch (RefusedException)
        {
            await first.DisposeAsync().ConfigureAwait(false);
            await GoOnInOneAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await first.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask<BlobPiece?> NextAsync(CancellationToken cancellationToken)
    {
        if (_stream is null)
        {
            Fill();
            if (!_window.TryPeek(out Range? next))
            {
                return null;
            }

            if (await HasComeAsync(next, cancellationToken).ConfigureAwait(false))
            {
                _window.Dequeue();
                await next.Stream.DisposeAsync().ConfigureAwait(false);
                _position += next.Length;
                Fill();
                return new BlobPiece(next.Buffer, next.Length, Keep);
            }

            await GoOnInOneAsync(cancellationToken).ConfigureAwait(false);
        }

        return await _stream!.NextAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await EndRangesAsync().ConfigureAwait(false);
        if (_stream is not null)
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private BlobStream Cut() => _range(_asked, Math.Min(_asked + _settings.RangeBytes, _end));

    private void Fill()
    {
        while (_window.Count < _settings.Connections && _asked < _end)
        {
            Begin(Cut());
        }
    }

    private void Begin(BlobStream stream)
    {
        int length = (int)(Math.Min(_asked + _settings.RangeBytes, _end) - _asked);
        byte[] buffer = Take();
        _window.Enqueue(new Range(stream, buffer, length, stream.ReadExactlyAsync(buffer.AsMemory(0, length), _stop.Token).AsTask()));
        _asked += length;
    }

    // False when it failed, or brings nothing.
    private async Task<bool> HasComeAsync(Range range, CancellationToken cancellationToken)
    {
        while (true)
        {
            long seen = range.Stream.Position;
            using (var waits = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
            {
                await Task.WhenAny(range.Filled, Task.Delay(_settings.Patience, _time, waits.Token)).ConfigureAwait(false);
                await waits.CancelAsync().ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (range.Filled.IsCompleted)
            {
                return range.Filled.IsCompletedSuccessfully;
            }

            if (range.Stream.Position == seen)
            {
                return false;
            }
        }
    }

    private async Task GoOnInOneAsync(CancellationToken cancellationToken)
    {
        await EndRangesAsync().ConfigureAwait(false);
        _stream = new StreamPieces(await _whole(_position, cancellationToken).ConfigureAwait(false), _end - _position);
    }

    // Nothing is read into a buffer any more when this has ended.
    private async Task EndRangesAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        while (_window.TryDequeue(out Range? range))
        {
            await ((Task)range.Filled).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await range.Stream.DisposeAsync().ConfigureAwait(false);
        }

        if (_hasTurn)
        {
            _hasTurn = false;
            _turns.Give();
        }
    }

    private byte[] Take()
    {
        lock (_free)
        {
            return _free.TryPop(out byte[]? used) ? used : GC.AllocateUninitializedArray<byte>(_settings.RangeBytes);
        }
    }

    private void Keep(byte[] buffer)
    {
        lock (_free)
        {
            _free.Push(buffer);
        }
    }

    private sealed record Range(BlobStream Stream, byte[] Buffer, int Length, Task Filled);
}
