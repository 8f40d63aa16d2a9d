// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net.Sockets;
using Containerd.Actors.Ttrpc.Calls;

namespace Containerd.Actors.Ttrpc;

/// <summary>Serves ttrpc on unix sockets.</summary>
/// <param name="handlers">The services.</param>
/// <param name="admits">
/// Whether a peer is let in, asked right after accept; a refused one is closed without a frame. Without it only the own
/// user and group are, as in containerd.
/// </param>
/// <param name="streamsMax">Calls that may run at a time on one connection; more are answered with ResourceExhausted.</param>
public sealed class TtrpcServer(TtrpcHandlers handlers, Func<TtrpcPeer, bool>? admits = null, int streamsMax = 16_384)
    : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ServerConnection, Task> _connections = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<(Socket Socket, string? Path, Task Accepting)> _listeners = [];

    /// <summary>Listens on a socket file, made with that mode before the first peer can connect.</summary>
    /// <remarks>A file that nobody listens on, left by a process that was killed, is replaced.</remarks>
    /// <exception cref="SocketException">Somebody listens there, or the path cannot be used.</exception>
    public void Listen(string path, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        var endPoint = new UnixDomainSocketEndPoint(path);
        if (File.Exists(path) && !IsServed(endPoint))
        {
            File.Delete(path);
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(endPoint);
            File.SetUnixFileMode(path, mode);
            socket.Listen(512);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        _listeners.Add((socket, path, Task.Run(() => AcceptAsync(socket))));
    }

    /// <summary>Accepts on a socket that already listens, for example an inherited one, and takes it over.</summary>
    public void Listen(Socket listening)
    {
        ArgumentNullException.ThrowIfNull(listening);
        _listeners.Add((listening, null, Task.Run(() => AcceptAsync(listening))));
    }

    /// <summary>Serves one connected stream, taking it over, until it ends. Peers are not checked.</summary>
    public Task ServeAsync(Stream stream)
    {
        var connection = new ServerConnection(stream, handlers, streamsMax);
        var running = RunAsync(connection);
        return running;
    }

    /// <summary>
    /// Stops to accept, closes idle connections, and lets running calls finish; once cancelled, closes all others too.
    /// The socket file is removed. Never throws; a second call waits for the same end.
    /// </summary>
    public async Task StopAsync(CancellationToken impatience = default)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        foreach (var (socket, path, accepting) in _listeners)
        {
            socket.Dispose();
            await accepting.ConfigureAwait(false);
            if (path is not null)
            {
                File.Delete(path);
            }
        }

        foreach (var connection in _connections.Keys)
        {
            connection.Drain();
        }

        var ended = Task.WhenAll(_connections.Values);
        try
        {
            await ended.WaitAsync(impatience).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (var connection in _connections.Keys)
            {
                connection.Dispose();
            }

            await ended.ConfigureAwait(false);
        }
    }

    /// <summary>Stops without waiting for running calls.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);

    private static bool IsServed(UnixDomainSocketEndPoint endPoint)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException) when (!_stopping.IsCancellationRequested)
            {
                // Out of descriptors, or the peer left already: accepting goes on, a little later.
                await Task.Delay(TimeSpan.FromMilliseconds(50)).ConfigureAwait(false);
                continue;
            }

            if (!IsAdmitted(socket))
            {
                socket.Dispose();
                continue;
            }

            _ = ServeAsync(new NetworkStream(socket, ownsSocket: true));
        }
    }

    private bool IsAdmitted(Socket socket)
    {
        try
        {
            var peer = TtrpcPeer.Of(socket);
            return admits?.Invoke(peer) ?? peer.IsSelf;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private Task RunAsync(ServerConnection connection)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[connection] = started.Task;
        return Task.Run(async () =>
        {
            try
            {
                await connection.RunAsync().ConfigureAwait(false);
            }
            finally
            {
                _connections.TryRemove(connection, out _);
                started.TrySetResult();
            }
        });
    }
}
