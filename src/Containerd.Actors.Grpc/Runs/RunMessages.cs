// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Runs.V1;
using RunStage = Containerd.Actors.Protocol.Runs.RunStage;

namespace Containerd.Actors.Grpc.Runs;

/// <summary>Between runs on the wire and those of the tree.</summary>
internal static class RunMessages
{
    public static RunWish ToWish(RunRequest request) => new(request.Id, request.Image)
    {
        Snapshotter = request.Snapshotter,
        RuntimeName = request.Runtime,
        RuntimeOptions = request.RuntimeOptions.ToValue(),
        Labels = request.Labels.ToLabels(),
        Spec = ToOptions(request.Options ?? new ContainerOptions()),
        Stdio = new ProcessStdio(request.Stdin, request.Stdout, request.Stderr, request.Terminal),
        TerminalSize = request.TerminalSize is { } size ? (size.Width, size.Height) : null,
        Removes = request.Remove,
    };

    public static RunResponse ToWire(RunProgress progress)
    {
        RunResponse wire = progress switch
        {
            RunProgress.Started started => new RunResponse { Started = new RunStarted { Pid = started.Pid } },
            RunProgress.Exited exited => new RunResponse
            {
                Exited = new RunExited { Status = exited.Exit.Status, ExitedAt = exited.Exit.ExitedAt.ToTimestamp() },
            },
            _ => new RunResponse { Removed = new RunRemoved() },
        };
        wire.Stages.AddRange(progress.Stages.Select(ToWire));
        return wire;
    }

    private static RuntimeSpecOptions ToOptions(ContainerOptions options) => new()
    {
        Args = [.. options.Args],
        Entrypoint = options.HasEntrypoint ? options.Entrypoint : null,
        Env = [.. options.Env],
        Cwd = options.HasCwd ? options.Cwd : null,
        User = options.HasUser ? options.User : null,
        Hostname = options.Hostname.Length > 0 ? options.Hostname : null,
        IsRootReadonly = options.ReadOnly,
        IsPrivileged = options.Privileged,
        IsHostNetwork = options.HostNetwork,
        Mounts = [.. options.Mounts.Select(mount => new MountSpec(mount.Target, mount.Type, mount.Source, [.. mount.Options]))],
        MemoryLimit = options.HasMemoryLimit ? options.MemoryLimit : null,
        CpuQuota = options.HasCpuQuota ? options.CpuQuota : null,
        CpuPeriod = options.HasCpuPeriod ? options.CpuPeriod : null,
    };

    private static Containerd.Runs.V1.RunStage ToWire(RunStage stage) => new() { Name = stage.Name, Microseconds = (long)stage.Took.TotalMicroseconds };
}
