// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Oci.Runtime;

/// <summary>What a user asks for beside the image.</summary>
public sealed record RuntimeSpecOptions
{
    /// <summary>The image's configuration; null for none.</summary>
    public ContainerConfig? Image { get; init; }

    /// <summary>In place of the image's entry point and its <c>Cmd</c>, which belongs to it; empty for none, null keeps both.</summary>
    public string? Entrypoint { get; init; }

    /// <summary>Arguments in place of the image's <c>Cmd</c>; empty keeps that.</summary>
    public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary><c>NAME=value</c> entries over those of the image.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    /// <summary>Where the process starts; null leaves the image's choice.</summary>
    public string? Cwd { get; init; }

    /// <summary>In place of the image's user.</summary>
    public string? User { get; init; }

    /// <summary>Directory with the image's files, in which names of users are looked up; null when there is none.</summary>
    public string? RootFsDirectory { get; init; }

    /// <summary>Path of the root in the spec, relative to the bundle.</summary>
    public string RootPath { get; init; } = "rootfs";

    public bool Terminal { get; init; }

    public bool IsRootReadonly { get; init; }

    /// <summary>All capabilities, devices and paths.</summary>
    public bool IsPrivileged { get; init; }

    /// <summary>True for the host's network with its hosts and resolv.conf files.</summary>
    public bool IsHostNetwork { get; init; }

    public string? Hostname { get; init; }

    public IReadOnlyList<MountSpec> Mounts { get; init; } = [];

    /// <summary>In bytes.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Processors, for example 0.5; over quota and period.</summary>
    public decimal? Cpus { get; init; }

    public ulong? CpuShares { get; init; }

    /// <summary>Microseconds.</summary>
    public long? CpuQuota { get; init; }

    /// <summary>Microseconds.</summary>
    public ulong? CpuPeriod { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>Makes the spec of a container as <c>ctr run</c> does.</summary>
public static class RuntimeSpecBuilder
{
    private const ulong CpuPeriodDefault = 100_000;

    /// <summary>The spec of a container.</summary>
    /// <param name="containerNamespace">The containerd namespace: with the id it names the cgroup.</param>
    /// <param name="id">The container.</param>
    /// <param name="options">What the user asks for.</param>
    /// <exception cref="FormatException">There is nothing to run, the user is unknown, or a limit makes no sense.</exception>
    public static RuntimeSpec Build(string containerNamespace, string id, RuntimeSpecOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string[] capabilities = options.IsPrivileged ? RuntimeDefaults.AllCapabilities : RuntimeDefaults.Capabilities;
        return new RuntimeSpec
        {
            Process = new ProcessSpec
            {
                Terminal = options.Terminal,
                User = UserResolver.Resolve(options.User ?? options.Image?.User ?? "", options.RootFsDirectory),
                Args = Args(options),
                Env = Env(options),
                Cwd = options.Cwd ?? (string.IsNullOrEmpty(options.Image?.WorkingDir) ? "/" : options.Image.WorkingDir),
                Capabilities = new CapabilitiesSpec(capabilities, capabilities, capabilities),
                Rlimits = [new RlimitSpec("RLIMIT_NOFILE", 1024, 1024)],
                NoNewPrivileges = !options.IsPrivileged,
            },
            Root = new RootSpec(options.RootPath, options.IsRootReadonly),
            Hostname = options.Hostname,
            Mounts = Mounts(options),
            Annotations = options.Annotations,
            Linux = new LinuxSpec
            {
                Resources = Resources(options),
                CgroupsPath = $"/{containerNamespace}/{id}",
                Namespaces = Namespaces(options),
                MaskedPaths = options.IsPrivileged ? null : RuntimeDefaults.MaskedPaths,
                ReadonlyPaths = options.IsPrivileged ? null : RuntimeDefaults.ReadonlyPaths,
            },
        };
    }

    // Arguments replace the command and keep the entry point, as docker and ctr do.
    private static IReadOnlyList<string> Args(RuntimeSpecOptions options)
    {
        (IReadOnlyList<string> entrypoint, IReadOnlyList<string> command) = options.Entrypoint switch
        {
            null => (options.Image?.Entrypoint ?? [], options.Image?.Cmd ?? []),
            "" => ([], []),
            { } other => ([other], []),
        };
        IReadOnlyList<string> all = [.. entrypoint, .. options.Args.Count > 0 ? options.Args : command];
        return all.Count > 0 ? all : throw new FormatException("no arguments specified");
    }

    private static List<string> Env(RuntimeSpecOptions options)
    {
        IReadOnlyList<string> image = options.Image?.Env ?? [];
        var env = new List<string>(image.Count == 0 ? [RuntimeDefaults.Path] : image);
        if (options.Terminal)
        {
            Set(env, "TERM=xterm");
        }

        foreach (string entry in options.Env)
        {
            Set(env, entry);
        }

        return env;
    }

    // A later value replaces an earlier one in its place; a name without a value removes it.
    private static void Set(List<string> env, string entry)
    {
        int equals = entry.IndexOf('=', StringComparison.Ordinal);
        string prefix = (equals < 0 ? entry : entry[..equals]) + "=";
        int at = env.FindIndex(present => present.StartsWith(prefix, StringComparison.Ordinal));
        if (equals < 0)
        {
            env.RemoveAll(present => present.StartsWith(prefix, StringComparison.Ordinal));
        }
        else if (at >= 0)
        {
            env[at] = entry;
        }
        else
        {
            env.Add(entry);
        }
    }

    private static List<MountSpec> Mounts(RuntimeSpecOptions options)
    {
        List<MountSpec> mounts = [.. RuntimeDefaults.Mounts];
        if (options.IsPrivileged)
        {
            int sys = mounts.FindIndex(mount => mount.Destination == "/sys");
            mounts[sys] = mounts[sys] with { Options = ["nosuid", "noexec", "nodev", "rw"] };
        }

        if (options.IsHostNetwork)
        {
            mounts.Add(new MountSpec("/etc/hosts", "bind", "/etc/hosts", ["rbind", "ro"]));
            mounts.Add(new MountSpec("/etc/resolv.conf", "bind", "/etc/resolv.conf", ["rbind", "ro"]));
        }

        mounts.AddRange(options.Mounts);
        return mounts;
    }

    private static List<LinuxNamespaceSpec> Namespaces(RuntimeSpecOptions options)
    {
        List<LinuxNamespaceSpec> namespaces = [new("pid"), new("ipc"), new("uts"), new("mount")];
        if (!options.IsHostNetwork)
        {
            namespaces.Add(new LinuxNamespaceSpec("network"));
        }

        return namespaces;
    }

    private static ResourcesSpec Resources(RuntimeSpecOptions options) => new()
    {
        Devices = options.IsPrivileged ? [new DeviceRuleSpec(true, null, null, null, "rwm")] : RuntimeDefaults.Devices,
        Memory = options.MemoryLimit switch
        {
            null => null,
            > 0 and long limit => new MemorySpec(limit),
            _ => throw new FormatException($"memory limit {options.MemoryLimit} is not positive"),
        },
        Cpu = Cpu(options),
    };

    private static CpuSpec? Cpu(RuntimeSpecOptions options)
    {
        if (options.Cpus is { } cpus)
        {
            if (cpus is <= 0 or > 10_000)
            {
                throw new FormatException($"cpus {cpus} is out of range");
            }

            if (options.CpuQuota is not null || options.CpuPeriod is not null)
            {
                throw new FormatException("cpus and quota/period should be used separately");
            }

            return new CpuSpec { Shares = options.CpuShares, Quota = (long)(cpus * CpuPeriodDefault), Period = CpuPeriodDefault };
        }

        return options.CpuShares is null && options.CpuQuota is null && options.CpuPeriod is null
            ? null
            : new CpuSpec { Shares = options.CpuShares, Quota = options.CpuQuota, Period = options.CpuPeriod };
    }
}
