// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Linux.Sockets;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Connections;
using Containerd.Actors.Ttrpc;
using Containerd.Adoption.V1;

namespace Containerd.Actors.Shims.Starting;

/// <summary>Shims of this project that were started beforehand and wait for a bundle, so that no start of a process is on the way of a task.</summary>
/// <remarks>
/// <code>
/// Refill --spawn--> waiting --Adopt--> serves the bundle, on the same connection
///                      +---- the daemon ends, Dispose ----> ends
/// </code>
/// They are few, of the executable that was wanted last, and started after a bundle was given away. Where none waits, one is started
/// for the bundle. One that waits shows neither namespace nor id nor address on its command line.
/// </remarks>
/// <param name="settings">What shims are told about the daemon, and how many wait.</param>
internal sealed class WaitingShims(ShimSettings settings) : IDisposable
{
    private const string Service = "containerd.actors.shim.v1.Adoption";
    private const int Connection = 3;
    private const int SigKill = 9;
    private const int NameMax = 76;

    private readonly Lock _gate = new();
    private readonly Queue<Waiting> _waiting = [];
    private bool _isRefilling;
    private bool _isDisposed;

    /// <summary>How many wait now.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Gives a bundle to a shim that waits, or to one that is started for it.</summary>
    /// <returns>The connection to the shim, and its answer; no connection when the bundle's group has a shim already.</returns>
    /// <exception cref="RefusedException">It could not be started, refused the bundle, or did not answer in time. It is gone then.</exception>
    public async Task<(TtrpcClient? Client, AdoptResponse Answer)> GiveAsync(string binary, AdoptRequest request, CancellationToken cancellation)
    {
        while (true)
        {
            var (shim, wasWaiting) = Take(binary) is { } ready ? (ready, true) : (Start(binary), false);
            try
            {
                var answer = await shim.Client.CallAsync(
                    Service, "Adopt", request, AdoptResponse.Parser, settings.StartTimeout, cancellation: cancellation).ConfigureAwait(false);
                if (!answer.IsServed)
                {
                    return (shim.Client, answer);
                }

                await shim.Client.DisposeAsync().ConfigureAwait(false);
                return (null, answer);
            }
            catch (TtrpcClosedException) when (wasWaiting)
            {
                // Somebody ended it while it waited; the next one is as good.
                await EndAsync(shim).ConfigureAwait(false);
            }
            catch (TtrpcClosedException closed)
            {
                await EndAsync(shim).ConfigureAwait(false);
                throw new RefusedException(Error.Unknown($"{binary} ended before it took the bundle"), closed);
            }
            catch (TtrpcStatusException refused)
            {
                await EndAsync(shim).ConfigureAwait(false);
                throw new RefusedException(ShimErrors.Of((int)refused.Code, refused.Message), refused);
            }
            catch (OperationCanceledException)
            {
                await EndAsync(shim).ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Starts shims in the background until enough wait; never fails.</summary>
    public void Refill(string binary)
    {
        lock (_gate)
        {
            if (_isRefilling || _isDisposed || settings.WaitingShims == 0)
            {
                return;
            }

            _isRefilling = true;
        }

        _ = Task.Run(() => StartMissing(binary));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            while (_waiting.TryDequeue(out var shim))
            {
                Dismiss(shim);
            }
        }
    }

    private void StartMissing(string binary)
    {
        try
        {
            while (true)
            {
                lock (_gate)
                {
                    if (_waiting.Count >= settings.WaitingShims || _isDisposed)
                    {
                        _isRefilling = false;
                        return;
                    }
                }

                var shim = Start(binary);
                lock (_gate)
                {
                    if (_isDisposed)
                    {
                        Dismiss(shim);
                    }
                    else
                    {
                        _waiting.Enqueue(shim);
                    }
                }
            }
        }
        catch (RefusedException)
        {
            // The next task says why, as it finds none that waits.
            lock (_gate)
            {
                _isRefilling = false;
            }
        }
    }

    // Shims of another executable make room; so do those that ended.
    private Waiting? Take(string binary)
    {
        lock (_gate)
        {
            while (_waiting.TryDequeue(out var shim))
            {
                if (shim.Binary == binary && !shim.Client.Closed.IsCompleted)
                {
                    return shim;
                }

                Dismiss(shim);
            }

            return null;
        }
    }

    private Waiting Start(string binary)
    {
        try
        {
            var (own, given) = SocketPair.Create();
            using (given)
            {
                try
                {
                    var process = ChildProcess.Spawn(new SpawnRequest
                    {
                        Path = binary,
                        Arguments = [binary, "-room", new string('.', Room), "await"],
                        Environment = Bootstrap.Environment(settings, null),
                        WorkingDirectory = "/",
                        Descriptors = [new InheritedDescriptor(Connection, given)],
                        IsSessionLeader = true,
                    });
                    return new Waiting(binary, process, new TtrpcClient(new NetworkStream(own, ownsSocket: true)));
                }
                catch
                {
                    own.Dispose();
                    throw;
                }
            }
        }
        catch (LinuxException failure)
        {
            throw new RefusedException(failure.Error.ToError(), failure);
        }
    }

    // For the command line that it shows later: that of any shim, with the longest names there are.
    private int Room => CommandLine.SizeOf(["-namespace", "-id", "-address", settings.GrpcAddress]) + (2 * (NameMax + 1));

    // It ends by itself when its connection does.
    private static void Dismiss(Waiting shim) => _ = shim.Client.DisposeAsync().AsTask();

    private static async Task EndAsync(Waiting shim)
    {
        await shim.Client.DisposeAsync().ConfigureAwait(false);
        shim.Process.Kill(SigKill);
        await shim.Process.Exited.ConfigureAwait(false);
    }

    private sealed record Waiting(string Binary, ChildProcess Process, TtrpcClient Client);
}
