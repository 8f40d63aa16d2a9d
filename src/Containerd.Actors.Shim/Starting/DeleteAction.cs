// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Containers;
using Containerd.Actors.Shim.Runtimes;
using Containerd.Actors.Shim.Sandboxes;
using Containerd.Runtime.Task.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Starting;

/// <summary>The action <c>delete</c>: removes what a server that is gone has left, and tells how the task ended. Idempotent.</summary>
internal static class DeleteAction
{
    /// <summary>Link in a bundle to the directory of its shim's socket.</summary>
    public const string SocketLink = "s";

    private const uint KilledStatus = 137;

    /// <summary>Runs the action; its output is the encoded answer.</summary>
    public static async Task<int> RunAsync(ShimArguments arguments)
    {
        string bundle = arguments.Bundle.Length > 0 ? arguments.Bundle : Directory.GetCurrentDirectory();
        if (Directory.Exists(bundle))
        {
            await CleanUpAsync(arguments, bundle);
        }

        DeleteResponse answer = new()
        {
            Pid = BundleFiles.ReadPid(bundle, BundleFiles.InitPid),
            ExitStatus = KilledStatus,
            ExitedAt = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
        };
        await using Stream output = Console.OpenStandardOutput();
        await output.WriteAsync(answer.ToByteArray());
        return 0;
    }

    /// <summary>Removes what was left in and for a bundle.</summary>
    internal static async Task CleanUpAsync(ShimArguments arguments, string bundle)
    {
        foreach ((string id, string record, string member) in new SandboxMembers(bundle).All())
        {
            await RemoveAsync(arguments.Namespace, id, record, member);
        }

        // Without options nothing was mounted and no OCI runtime asked, as for a sandbox without a container: what is of this id is another's.
        if (BundleFiles.HasOptions(bundle))
        {
            await RemoveAsync(arguments.Namespace, arguments.Id, bundle, bundle);
        }

        string group = BundleConfig.Read(bundle).Group ?? arguments.Id;
        string directory = new FileInfo(Path.Combine(bundle, SocketLink)).LinkTarget ?? ShimSocket.DefaultDirectory;
        string socket = ShimSocket.PathOf(directory, arguments.Address, arguments.Namespace, group);
        if (!ShimSocket.IsServed(socket))
        {
            File.Delete(socket);
        }
    }

    // Where the options are, the runtime may write its log; the bundle of a task that joined a sandbox may be gone.
    private static async Task RemoveAsync(string ns, string id, string record, string bundle)
    {
        OciRuntime runtime = new(BundleFiles.ReadOptions(record), ns, id, record, new ChildProcesses());
        await runtime.TryDeleteAsync(CancellationToken.None);
        MountTree.Unmount(Path.Combine(bundle, "rootfs"));
    }
}
