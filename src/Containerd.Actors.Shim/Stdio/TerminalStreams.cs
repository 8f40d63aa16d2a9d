// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Linux.Terminals;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Shim.Stdio;

/// <summary>Copies between the client's FIFOs and the terminal of a process.</summary>
internal sealed class TerminalStreams : IDisposable
{
    private const int BufferSize = 8192;
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(10);
    private readonly Terminal _terminal;
    private readonly PipeEnd? _input;
    private readonly PipeEnd? _output;
    private readonly Task _copying;

    private TerminalStreams(Terminal terminal, PipeEnd? input, PipeEnd? output)
    {
        (_terminal, _input, _output) = (terminal, input, output);
        _ = CopyAsync(input, terminal.Pipe);
        _copying = CopyAsync(terminal.Pipe, output);
    }

    /// <summary>Receives the terminal from the runtime and starts to copy.</summary>
    public static async Task<TerminalStreams> OpenAsync(ConsoleSocket socket, StdioRequest request, CancellationToken cancellation)
    {
        Terminal terminal = await socket.ReceiveAsync(cancellation).ConfigureAwait(false);
        try
        {
            // Held until the terminal's own end is open: a FIFO without a writer is at its end for whoever reads it.
            using SafeFileHandle? first = request.Output.Length > 0
                ? await Fifos.OpenWriterAsync(StdioRequest.PathOf(request.Output), ProcessStreams.ReaderPatience).ConfigureAwait(false)
                : null;
            return new TerminalStreams(terminal, Fifo(request.Input), Fifo(request.Output));
        }
        catch
        {
            terminal.Dispose();
            throw;
        }
    }

    /// <summary>Sets the size of the window.</summary>
    public void Resize(uint width, uint height) => _terminal.Resize((ushort)width, (ushort)height);

    /// <summary>Reads no more of the client's input.</summary>
    public void CloseInput() => _input?.Dispose();

    /// <summary>Waits until what the process wrote is with the client; a client that does not read is not waited for long.</summary>
    public async Task DrainAsync()
    {
        try
        {
            await _copying.WaitAsync(DrainTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Nobody reads: what is left goes with the terminal.
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _input?.Dispose();
        _terminal.Dispose();
        _output?.Dispose();
    }

    private static PipeEnd? Fifo(string value) => value.Length > 0 ? PipeEnd.OpenFifo(StdioRequest.PathOf(value)) : null;

    // Without a reader the bytes are still taken, or the process would wait for ever.
    private static async Task CopyAsync(PipeEnd? from, PipeEnd? to)
    {
        if (from is null)
        {
            return;
        }

        byte[] buffer = new byte[BufferSize];
        try
        {
            while (await from.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var count)
            {
                if (to is not null)
                {
                    await to.WriteAsync(buffer.AsMemory(0, count)).ConfigureAwait(false);
                }
            }
        }
        catch (Exception end) when (end is LinuxException or OperationCanceledException or ObjectDisposedException)
        {
            // pty(7): a master whose other side nobody has open any more fails with EIO. Or this end was closed.
        }
    }
}
