// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Configuration;
using Containerd.Actors.Protocol.Runtimes;
using Containerd.Actors.Protocol.Values;
using Containerd.Runc.V1;
using Google.Protobuf;

namespace Containerd.Actors.Supervision.Runtimes;

/// <summary>Runtimes as the configuration names them: <c>containerd.runtimes</c>, <c>containerd.oci-runtime</c> and <c>containerd.shims</c>.</summary>
/// <param name="Handlers">Runtimes by short names.</param>
/// <param name="Candidates">OCI runtimes in order of preference.</param>
/// <param name="ProbeTimeout">Longest time a candidate may take to run a container.</param>
/// <param name="Instead">Executables in place of shims, by the end of those names.</param>
/// <param name="WaitingShims">Shims that are started beforehand.</param>
public sealed record RuntimesSettings(
    ImmutableArray<RuntimeHandler> Handlers,
    ImmutableArray<string> Candidates,
    TimeSpan ProbeTimeout,
    ImmutableDictionary<string, string> Instead,
    int WaitingShims)
{
    /// <summary>Path of the handlers.</summary>
    public const string Root = "containerd.runtimes";

    private const string Choice = "containerd.oci-runtime";
    private const string Shims = "containerd.shims";
    private const int WaitingMax = 64;
    private const string Runc = "io.containerd.runc.v2";

    /// <summary>Reads the keys.</summary>
    /// <exception cref="ConfigurationException">A value makes no sense; the message names the key.</exception>
    public static RuntimesSettings From(Config config)
    {
        Config handlers = config.GetConfig(Root) ?? ConfigurationFactory.Empty;
        return new RuntimesSettings(
            [.. handlers.AsEnumerable().Select(pair => Handler(pair.Key, handlers.GetConfig(pair.Key)))],
            [.. config.GetStringList($"{Choice}.candidates")],
            config.GetTimeSpan($"{Choice}.probe-timeout"),
            InsteadOf(config.GetConfig($"{Shims}.instead") ?? ConfigurationFactory.Empty),
            config.GetInt($"{Shims}.waiting") is >= 0 and <= WaitingMax and var waiting
                ? waiting
                : throw new ConfigurationException($"{Shims}.waiting must lie between 0 and {WaitingMax}"));
    }

    private static ImmutableDictionary<string, string> InsteadOf(Config table) => table.AsEnumerable().ToImmutableDictionary(
        pair => pair.Key,
        pair => pair.Value.GetString() is var file && (file.Length == 0 || file[0] == '/' || !file.Contains('/', StringComparison.Ordinal))
            ? file
            : throw new ConfigurationException($"{Shims}.instead.{pair.Key}: \"{file}\" is neither a name nor an absolute path"));

    private static RuntimeHandler Handler(string name, Config at)
    {
        if (name.AsSpan().IndexOfAny('.', '/') >= 0)
        {
            throw new ConfigurationException($"{Root}: \"{name}\" is a dotted name or a path, and a runtime by itself");
        }

        string type = at.GetString("type", "");
        string path = at.GetString("path", "");
        string sandboxer = at.GetString("sandboxer", "podsandbox");
        if (type.Length == 0)
        {
            throw new ConfigurationException($"{Root}.{name}.type is missing");
        }

        if (path.Length > 0 && path[0] != '/')
        {
            throw new ConfigurationException($"{Root}.{name}.path: \"{path}\" is not absolute");
        }

        if (sandboxer is not ("podsandbox" or "shim"))
        {
            throw new ConfigurationException($"{Root}.{name}.sandboxer: \"{sandboxer}\" is neither podsandbox nor shim");
        }

        Config options = at.GetConfig("options") ?? ConfigurationFactory.Empty;
        return new RuntimeHandler(
            name, type, path, at.GetString("snapshotter", ""), sandboxer, type == Runc ? RuncOptions(options) : FileOptions(options));
    }

    private static AnyValue RuncOptions(Config at)
    {
        Options options = new()
        {
            BinaryName = at.GetString("binary-name", ""),
            Root = at.GetString("root", ""),
            SystemdCgroup = at.GetBoolean("systemd-cgroup", false),
            NoPivotRoot = at.GetBoolean("no-pivot-root", false),
            NoNewKeyring = at.GetBoolean("no-new-keyring", false),
            ShimCgroup = at.GetString("shim-cgroup", ""),
            CriuWorkPath = at.GetString("criu-work-path", ""),
        };
        return new AnyValue(Options.Descriptor.FullName, options.ToByteArray());
    }

    // How every other shim is told where its configuration is.
    private static AnyValue? FileOptions(Config at)
    {
        Containerd.RuntimeOptions.V1.Options options = new() { ConfigPath = at.GetString("config-path", ""), TypeUrl = at.GetString("config-type", "") };
        return options.ConfigPath.Length == 0 ? null : new AnyValue(Containerd.RuntimeOptions.V1.Options.Descriptor.FullName, options.ToByteArray());
    }
}
