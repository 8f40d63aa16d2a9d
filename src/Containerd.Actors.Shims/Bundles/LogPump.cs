// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Linux.Processes;

namespace Containerd.Actors.Shims.Bundles;

/// <summary>Hands on, line by line, what a shim writes into its bundle's <c>log</c>; holds no thread while it waits.</summary>
/// <remarks>
/// Open it before the shim is started: the shim opens the FIFO for writing and would wait for a reader. It is opened for
/// both directions, so that a shim that goes and one that comes back are not seen as an end. A line longer than
/// <see cref="LineBytesMax"/> is handed on in pieces.
/// </remarks>
public sealed class LogPump : IAsyncDisposable
{
    /// <summary>Bytes of a line that are handed on at once.</summary>
    public const int LineBytesMax = 64 * 1024;

    private readonly PipeEnd _fifo;
    private readonly Task _pumping;

    private LogPump(PipeEnd fifo, Action<string> line)
    {
        _fifo = fifo;
        _pumping = PumpAsync(fifo, line);
    }

    /// <summary>Opens the FIFO and starts; <paramref name="line"/> is called for one line at a time and must not block.</summary>
    /// <exception cref="Core.Linux.LinuxException">There is no FIFO, or it cannot be opened.</exception>
    public static LogPump Open(Bundle bundle, Action<string> line)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        ArgumentNullException.ThrowIfNull(line);
        return new LogPump(PipeEnd.OpenFifo(bundle.LogPath), line);
    }

    /// <summary>The same for what an earlier daemon may have left half made: without a log there is no shim that could wait for a reader.</summary>
    public static IAsyncDisposable OpenIfThere(Bundle bundle, Action<string> line)
    {
        try
        {
            return Open(bundle, line);
        }
        catch (Core.Linux.LinuxException)
        {
            return Stream.Null;
        }
    }

    /// <summary>Stops; an unfinished line is handed on first.</summary>
    public async ValueTask DisposeAsync()
    {
        _fifo.Dispose();
        await _pumping.ConfigureAwait(false);
    }

    private static async Task PumpAsync(PipeEnd fifo, Action<string> line)
    {
        var buffer = new byte[4096];
        var pending = new MemoryStream();
        try
        {
            while (await fifo.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var count)
            {
                Split(buffer.AsSpan(0, count), pending, line);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
        {
            // Disposed.
        }

        Flush(pending, line);
    }

    private static void Split(ReadOnlySpan<byte> bytes, MemoryStream pending, Action<string> line)
    {
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            pending.Write(bytes[..end]);
            bytes = bytes[(end + 1)..];
            Flush(pending, line);
        }

        pending.Write(bytes);
        if (pending.Length > LineBytesMax)
        {
            Flush(pending, line);
        }
    }

    private static void Flush(MemoryStream pending, Action<string> line)
    {
        if (pending.Length > 0)
        {
            line(Encoding.UTF8.GetString(pending.GetBuffer().AsSpan(0, (int)pending.Length)));
            pending.SetLength(0);
        }
    }
}
