// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Runtime;
using Containerd.Runs.V1;
using Containerd.Types;
using TerminalSize = Containerd.Actors.Cli.Terminals.TerminalSize;

namespace Containerd.Actors.Cli.Running;

/// <summary>What a user asks of a run, on the wire.</summary>
internal static class RunMessage
{
    /// <summary>The request without the streams.</summary>
    public static Runs.V1.RunRequest Of(RunRequest request, ContainerRun run)
    {
        var message = new Runs.V1.RunRequest
        {
            Id = run.Id,
            Image = request.Image,
            Snapshotter = request.Snapshotter,
            Runtime = request.Runtime,
            RuntimeOptions = run.RuntimeOptions,
            Options = ToWire(SpecComposer.Options(run.Id, request)),
            Terminal = request.Terminal,
            Remove = request.Remove,
        };
        foreach ((string key, string value) in run.Labels)
        {
            message.Labels[key] = value;
        }

        if (request.Terminal && (TerminalSize.OfOutput() ?? TerminalSize.OfInput()) is { } size)
        {
            message.TerminalSize = new Runs.V1.TerminalSize { Width = (uint)size.Width, Height = (uint)size.Height };
        }

        return message;
    }

    private static ContainerOptions ToWire(RuntimeSpecOptions options)
    {
        var wire = new ContainerOptions
        {
            Hostname = options.Hostname ?? "",
            ReadOnly = options.IsRootReadonly,
            Privileged = options.IsPrivileged,
            HostNetwork = options.IsHostNetwork,
        };
        wire.Args.AddRange(options.Args);
        wire.Env.AddRange(options.Env);
        wire.Mounts.AddRange(options.Mounts.Select(mount =>
            new Mount { Type = mount.Type, Source = mount.Source, Target = mount.Destination, Options = { mount.Options } }));
        Set(options.Entrypoint, entrypoint => wire.Entrypoint = entrypoint);
        Set(options.Cwd, cwd => wire.Cwd = cwd);
        Set(options.User, user => wire.User = user);
        Set(options.MemoryLimit, limit => wire.MemoryLimit = limit);
        Set(options.CpuQuota, quota => wire.CpuQuota = quota);
        Set(options.CpuPeriod, period => wire.CpuPeriod = period);
        return wire;
    }

    private static void Set<T>(T? value, Action<T> set)
        where T : class
    {
        if (value is not null)
        {
            set(value);
        }
    }

    private static void Set<T>(T? value, Action<T> set)
        where T : struct
    {
        if (value is { } given)
        {
            set(given);
        }
    }
}
