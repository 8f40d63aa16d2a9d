// SPDX-License-Identifier: Apache-2.0

using static Containerd.Actors.Cli.Configuration.Conversions;

namespace Containerd.Actors.Cli.Configuration;

/// <summary>What in our configuration stands for which setting of containerd, and why the others have nothing that does.</summary>
internal static class Counterparts
{
    private const string Collector = "plugins.\"io.containerd.gc.v1.scheduler\"";
    private const string Grpc = $"plugins.\"{PluginNames.Grpc}\"";
    private const string Ttrpc = $"plugins.\"{PluginNames.Ttrpc}\"";
    private const string Images = $"plugins.\"{PluginNames.Images}\"";
    private const string Transfer = "plugins.\"io.containerd.transfer.v1.local\"";
    private const string Verifiers = "plugins.\"io.containerd.image-verifier.v1.bindir\"";
    private const string Overlay = "plugins.\"io.containerd.snapshotter.v1.overlayfs\"";
    private const string Timeouts = "timeouts.\"io.containerd.timeout";
    private const string Owned = "containerd's own directory is left alone: its records cannot be read, and what they keep would be collected";

    private static readonly Dictionary<string, Func<Setting, Outcome>> Rules = new()
    {
        ["version"] = _ => Outcome.Passed.Over,
        ["imports"] = _ => Outcome.Passed.Over,
        ["root"] = Beside("containerd.root", Owned),
        ["state"] = Beside("containerd.state", Owned),
        ["debug.level"] = Level,
        ["debug.format"] = setting => Word(setting) is "" or "text" ? Outcome.Passed.Over : new Outcome.Left("logs are text"),
        ["disabled_plugins"] = Disabled,
        [$"{Grpc}.address"] = Address,
        [$"{Grpc}.uid"] = Whole("containerd.grpc.uid", 0, uint.MaxValue - 1),
        [$"{Grpc}.gid"] = Whole("containerd.grpc.gid", 0, uint.MaxValue - 1),
        [$"{Grpc}.max_recv_message_size"] = Whole("containerd.grpc.message-size-max", 1 << 20, int.MaxValue),
        [$"{Grpc}.max_send_message_size"] = Whole("containerd.grpc.message-size-max", 1 << 20, int.MaxValue),
        [$"{Collector}.pause_threshold"] = Share("containerd.garbage-collection.pause-threshold"),
        [$"{Collector}.deletion_threshold"] = Whole("containerd.garbage-collection.deletion-threshold", 0, int.MaxValue),
        [$"{Collector}.mutation_threshold"] = Whole("containerd.garbage-collection.mutation-threshold", 0, int.MaxValue),
        [$"{Collector}.schedule_delay"] = Duration("containerd.garbage-collection.schedule-delay", zero: true),
        [$"{Collector}.startup_delay"] = Duration("containerd.garbage-collection.startup-delay", zero: true),
        [$"{Images}.registry.config_path"] = Text("containerd.pulls.hosts-directory"),
        [$"{Images}.max_concurrent_downloads"] = Downloads,
        [$"{Transfer}.config_path"] = Text("containerd.pulls.hosts-directory"),
        [$"{Transfer}.max_concurrent_downloads"] = Downloads,
        [$"{Transfer}.max_concurrent_unpacks"] = Whole("containerd.pulls.unpacks-max", 1, 64),
        ["plugins.\"io.containerd.metadata.v1.bolt\".content_sharing_policy"] = setting => Word(setting) switch
        {
            "" => Outcome.Passed.Over,
            ("shared" or "isolated") and string policy => new Outcome.Carried("containerd.content.sharing-policy", policy),
            _ => new Outcome.Left("containerd has no such policy"),
        },
        ["plugins.\"io.containerd.monitor.container.v1.restart\".interval"] = Duration("containerd.restart-monitor.interval"),
        [$"{Overlay}.upperdir_label"] = setting => new Outcome.Carried("containerd.snapshots.overlayfs.upperdir-label", Flag(setting) ? "on" : "off"),
        [$"{Overlay}.mount_options"] = setting => new Outcome.Carried("containerd.snapshots.overlayfs.mount-options", $"[{string.Join(", ", Words(setting).Select(Quoted))}]"),
        [$"{Verifiers}.bin_dir"] = Text("containerd.pulls.verifiers.directory"),
        [$"{Verifiers}.max_verifiers"] = Whole("containerd.pulls.verifiers.verifiers-max", 1, 100),
        [$"{Verifiers}.per_verifier_timeout"] = Duration("containerd.pulls.verifiers.time-limit"),
        [$"{Timeouts}.shim.load\""] = Duration("containerd.containers.shim.connect-timeout"),
        [$"{Timeouts}.shim.cleanup\""] = Duration("containerd.containers.shim.clean-up-timeout"),
        [$"{Timeouts}.task.state\""] = Duration("containerd.containers.shim.query-timeout"),
    };

    // The longest prefix speaks.
    private static readonly Dictionary<string, string> Reasons = new()
    {
        ["temp"] = "temporary mounts are below containerd.root",
        ["plugin_dir"] = "plugins are not loaded from files",
        ["required_plugins"] = "every part of the daemon is required",
        ["oom_score"] = "set OOMScoreAdjust= in the unit of the service",
        ["cgroup.path"] = "set Slice= in the unit of the service",
        ["debug"] = "there is no debug socket",
        ["timeouts"] = "there is no such wait",
        [$"plugins.\"{PluginNames.Debug}\""] = "there is no debug socket",
        [$"plugins.\"{PluginNames.Metrics}\""] = "there is no metrics socket",
        ["plugins.\"io.containerd.metrics.v1.grpc-prometheus\""] = "there is no metrics socket",
        [$"plugins.\"{PluginNames.GrpcTcp}\""] = "the API is served on a unix socket alone",
        [Ttrpc] = "the ttrpc socket is the gRPC socket's path with .ttrpc behind, under the same owner",
        [$"plugins.\"{PluginNames.Cri}\""] = "the CRI is not served",
        [$"plugins.\"{PluginNames.Runtime}\""] = "the CRI is not served; other clients name runtime and options themselves",
        [Images] = "the CRI is not served",
        [$"{Images}.registry"] = "write it as hosts.toml below containerd.pulls.hosts-directory",
        [Transfer] = "pulls have no such limit",
        ["plugins.\"io.containerd.internal.v1.opt\""] = "binaries are not installed from images",
        ["plugins.\"io.containerd.internal.v1.tracing\""] = "traces are not exported",
        ["plugins.\"io.containerd.tracing.processor.v1.otlp\""] = "traces are not exported",
        ["plugins.\"io.containerd.metadata.v1.bolt\".no_sync"] = "the journal is always synchronous",
        ["plugins.\"io.containerd.monitor.task.v1.cgroups\""] = "there is no metrics socket",
        ["plugins.\"io.containerd.monitor.container.v1.restart\""] = "the restart monitor has no such setting",
        ["plugins.\"io.containerd.nri.v1.nri\""] = "NRI is not served",
        ["plugins.\"io.containerd.runtime.v2.task\".platforms"] = "the platform is this machine's",
        ["plugins.\"io.containerd.runtime.v2.task\".sched_core"] = "core scheduling is not set",
        ["plugins.\"io.containerd.service.v1.diff-service\""] = "write the order of differs as containerd.diff.order",
        ["plugins.\"io.containerd.service.v1.tasks-service\""] = "block I/O and cache classes are not set",
        ["plugins.\"io.containerd.shim.v1.manager\""] = "shims get the environment of the daemon",
        [Overlay] = "the overlayfs snapshotter has no such setting; it is below containerd.root",
        ["plugins.\"io.containerd.snapshotter.v1.native\""] = "the native snapshotter has no settings; it is below containerd.root",
        ["plugins.\"io.containerd.snapshotter.v1"] = "there is no such snapshotter",
        ["plugins.\"io.containerd.differ.v1.erofs\""] = "there is no such differ",
        ["plugins"] = "there is no such plugin",
    };

    /// <summary>What becomes of a setting.</summary>
    /// <exception cref="Errors.CliFailure">Its value is none that containerd takes.</exception>
    public static Outcome Of(Setting setting)
    {
        bool isDefault = ContainerdDefaults.Has(setting);
        return Rules.TryGetValue(setting.Path, out Func<Setting, Outcome>? rule) && !(isDefault && !setting.IsEmpty) ? rule(setting)
            : isDefault ? Outcome.Passed.Over
            : new Outcome.Left(Reason(setting.Path));
    }

    private static string Reason(string path) => Reasons
        .Where(reason => path == reason.Key || (path.StartsWith(reason.Key, StringComparison.Ordinal) && path[reason.Key.Length] == '.'))
        .OrderByDescending(reason => reason.Key.Length).Select(reason => reason.Value).FirstOrDefault("containerd has no such setting");

    private static Outcome Level(Setting setting) => Word(setting) switch
    {
        "" => Outcome.Passed.Over,
        ("trace" or "debug" or "info" or "warn" or "error" or "fatal" or "panic") and string level => new Outcome.Carried("containerd.log-level", Quoted(level)),
        _ => new Outcome.Left("containerd has no such level"),
    };

    private static Outcome Disabled(Setting setting)
    {
        // What is not there is as good as switched off.
        string[] wanted = [.. Words(setting).Where(plugin => plugin is not (PluginNames.Cri or PluginNames.Images or PluginNames.Runtime or "cri"))];
        return wanted.Length == 0 ? Outcome.Passed.Over : new Outcome.Left($"parts cannot be switched off: {string.Join(", ", wanted)}");
    }

    private static Outcome Address(Setting setting)
    {
        string address = Word(setting).Replace("unix://", "", StringComparison.Ordinal);
        return address.Length == 0 ? Outcome.Passed.Over
            : address.Length > 100 ? new Outcome.Left("containerd.address must not be longer than 100 bytes")
            : new Outcome.Carried("containerd.address", Quoted(address), "two daemons cannot serve one socket: stop containerd before this one starts");
    }

    private static Outcome Downloads(Setting setting) => Number(setting) switch
    {
        0 => new Outcome.Carried("containerd.pulls.layers-max", "64", "at most 64 layers are fetched at a time"),
        > 64 => new Outcome.Carried("containerd.pulls.layers-max", "64", "at most 64 layers are fetched at a time"),
        < 0 => new Outcome.Left("containerd.pulls.layers-max must lie between 1 and 64"),
        _ => Whole("containerd.pulls.layers-max", 1, 64)(setting),
    };
}
