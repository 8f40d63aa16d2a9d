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

/// <summary>The server: serves the task API on the socket it inherited until it is told to end and holds no container.</summary>
internal static class ShimHost
{
    private const int ListenerDescriptor = 3;
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Serves; returns the exit status.</summary>
    public static async Task<int> RunAsync(ShimArguments arguments)
    {
        string bundle = Directory.GetCurrentDirectory();
        LogTo(Path.Combine(bundle, "log"));
        using ChildProcesses children = new();
        children.Adopt();
        TaskCompletionSource ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        string daemon = Environment.GetEnvironmentVariable("TTRPC_ADDRESS") ?? arguments.Address + ".ttrpc";
        string socket = SocketOf(arguments, bundle);
        await using (EventPublisher events = new(daemon, arguments.Namespace))
        {
            TaskService service = new(arguments.Namespace, children, events, () => ending.TrySetResult());
            await using TtrpcServer server = new(service.Handlers());
            server.Listen(new Socket(new SafeSocketHandle(ListenerDescriptor, ownsHandle: true)));
            await ending.Task;
            using CancellationTokenSource impatience = new(StopTimeout);
            await server.StopAsync(impatience.Token);
        }

        File.Delete(socket);
        return 0;

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            ending.TrySetResult();
        }
    }

    private static string SocketOf(ShimArguments arguments, string bundle)
    {
        string group = BundleConfig.Read(bundle).Group ?? arguments.Id;
        string directory = new FileInfo(Path.Combine(bundle, DeleteAction.SocketLink)).LinkTarget ?? ShimSocket.DefaultDirectory;
        return ShimSocket.PathOf(directory, arguments.Address, arguments.Namespace, group);
    }

    private static void LogTo(string fifo)
    {
        try
        {
            Fifos.RedirectStandardError(fifo);
        }
        catch (LinuxException)
        {
            // Daemons before 1.3 made none; the shim then says nothing.
        }
    }
}
