// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Runtime.InteropServices;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Containers;
using Containerd.Actors.Shim.Events;
using Containerd.Actors.Shim.Starting;
using Containerd.Actors.Ttrpc;

namespace Containerd.Actors.Shim.Serving;

/// <summary>The server: serves the task API and the sandbox API until it is told to end and holds neither a container nor a sandbox.</summary>
/// <remarks>
/// <code>
/// start --> ServeAsync: the task is known, the listening socket inherited
/// await --> AwaitAsync: connected to the daemon --Adopt--> the task is known, listening
///                              +--- the daemon ends ---> ends
/// </code>
/// </remarks>
internal sealed class ShimHost : IDisposable
{
    private const int Inherited = 3;
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);
    private readonly ChildProcesses _children = new();
    private readonly TtrpcHandlers _handlers = new();
    private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;
    private readonly IdleMemory _idle = new();
    private EventPublisher? _events;
    private ContainerTable? _containers;
    private SandboxService? _sandboxes;
    private string _socket = "";

    private ShimHost()
    {
        _children.Adopt();
        (_terminate, _interrupt) = (PosixSignalRegistration.Create(PosixSignal.SIGTERM, End), PosixSignalRegistration.Create(PosixSignal.SIGINT, End));

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            _ending.TrySetResult();
        }
    }

    /// <summary>Serves the task of the command line on the inherited socket; returns the exit status.</summary>
    public static async Task<int> ServeAsync(ShimArguments arguments)
    {
        using ShimHost host = new();
        string bundle = Directory.GetCurrentDirectory();
        LogTo(bundle);
        string group = BundleConfig.Read(bundle).Group ?? arguments.Id;
        string directory = new FileInfo(Path.Combine(bundle, DeleteAction.SocketLink)).LinkTarget ?? ShimSocket.DefaultDirectory;
        string daemon = Environment.GetEnvironmentVariable("TTRPC_ADDRESS") ?? arguments.Address + ".ttrpc";
        string socket = ShimSocket.PathOf(directory, arguments.Address, arguments.Namespace, group);
        host.Serve(new ShimDuty(arguments.Namespace, daemon, socket, BundleFiles.ReadStartOptions(bundle)));
        await using TtrpcServer server = new(host._handlers);
        server.Listen(new Socket(new SafeSocketHandle(Inherited, ownsHandle: true)));
        return await host.EndAsync(server);
    }

    /// <summary>Waits on the inherited connection for a task, and serves that; returns the exit status.</summary>
    public static async Task<int> AwaitAsync()
    {
        using ShimHost host = new();
        StartAction.PreferToEnd(Environment.ProcessId);
        await using TtrpcServer server = new(host._handlers);
        Adoption adoption = new((duty, listener) =>
        {
            host.Serve(duty);
            server.Listen(listener);
        });
        adoption.AddTo(host._handlers);
        Socket daemon = new(new SafeSocketHandle(Inherited, ownsHandle: true));
        _ = host.EndWithoutTaskAsync(server.ServeAsync(new NetworkStream(daemon, ownsSocket: true)));
        return await host.EndAsync(server);
    }

    /// <summary>Shows the bundle's log what goes wrong from now on.</summary>
    public static void LogTo(string bundle)
    {
        try
        {
            Fifos.RedirectStandardError(Path.Combine(bundle, "log"));
        }
        catch (LinuxException)
        {
            // Daemons before 1.3 made none; the shim then says nothing.
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
        _idle.Dispose();
        _sandboxes?.Dispose();
        _children.Dispose();
    }

    private bool IsIdle => _containers is null or { IsEmpty: true } && _sandboxes is null or { IsThere: false };

    private void Serve(ShimDuty duty)
    {
        (_events, _socket) = (new EventPublisher(duty.Daemon, duty.Namespace), duty.Socket);
        _containers = new ContainerTable(duty.Namespace, _children, _events);
        _sandboxes = new SandboxService(duty.Namespace, duty.Options, _children, _containers, _idle.Later, Leave);
        new TaskService(_containers, () => IsIdle, _idle.Later, Leave).AddTo(_handlers);
        _sandboxes.AddTo(_handlers);
    }

    // The name goes first: whoever starts a shim for the same task from now on makes its own.
    private void Leave()
    {
        if (_socket.Length > 0)
        {
            File.Delete(_socket);
            _socket = "";
        }

        _ending.TrySetResult();
    }

    // A daemon that is killed between giving a bundle and creating the container, or between deleting that and saying that this was
    // all, leaves a shim of which nobody may ever know.
    private async Task EndWithoutTaskAsync(Task connection)
    {
        await connection;
        if (_containers is not null)
        {
            await _containers.Forgotten;
        }

        if (IsIdle)
        {
            Leave();
        }
    }

    private async Task<int> EndAsync(TtrpcServer server)
    {
        await _ending.Task;
        using CancellationTokenSource impatience = new(StopTimeout);
        await server.StopAsync(impatience.Token);
        if (_events is not null)
        {
            await _events.DisposeAsync();
        }

        Leave();
        return 0;
    }
}
