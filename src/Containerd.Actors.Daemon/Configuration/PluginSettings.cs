// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Configuration;
using Akka.Configuration.Hocon;
using Containerd.Actors.Storage.Diff;

namespace Containerd.Actors.Daemon.Configuration;

/// <summary>What a plugin in another process is.</summary>
public enum ProxyKind
{
    /// <summary>A snapshotter beside those of the daemon.</summary>
    Snapshotter,

    /// <summary>A differ beside the daemon's.</summary>
    Differ,

    /// <summary>A content store in place of the daemon's.</summary>
    Content,
}

/// <summary>One plugin in another process.</summary>
/// <param name="Name">Name of what it is.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Address">Path of its unix socket.</param>
/// <param name="Timeout">Longest wait for an answer.</param>
/// <param name="OperationsMax">Most requests at one time.</param>
/// <param name="Capabilities">What it can do.</param>
/// <param name="Platforms">For which platforms; empty for the host's.</param>
/// <param name="Exports">What it tells of itself.</param>
public sealed record ProxyPlugin(
    string Name,
    ProxyKind Kind,
    string Address,
    TimeSpan Timeout,
    int OperationsMax,
    ImmutableArray<string> Capabilities,
    ImmutableArray<string> Platforms,
    ImmutableDictionary<string, string> Exports);

/// <summary>Helpers in other processes; the meaning of the keys is in <c>hocon/reference/plugins.conf</c>.</summary>
/// <param name="Proxies">Plugins by name.</param>
/// <param name="DiffOrder">Differs in the order in which they are asked.</param>
/// <param name="Processors">Programs that layers run through.</param>
public sealed record PluginSettings(
    ImmutableArray<ProxyPlugin> Proxies, ImmutableArray<string> DiffOrder, ImmutableArray<StreamProcessor> Processors)
{
    private const string Plugins = "containerd.proxy-plugins";
    private const string Programs = "containerd.stream-processors";
    private static readonly string[] Own = ["overlayfs", "native", "btrfs", "walking"];

    /// <summary>Whether layers are decompressed by libraries of the host where it has them.</summary>
    public bool UsesHostLibraries { get; init; } = true;

    /// <summary>Reads and checks the keys.</summary>
    /// <exception cref="ConfigurationException">A value is missing or cannot be served; the message names the key.</exception>
    public static PluginSettings From(Config config)
    {
        ImmutableArray<ProxyPlugin> proxies = [.. Entries(config, Plugins).Select(name => Proxy(config, name))];
        if (proxies.Where(proxy => proxy.Kind == ProxyKind.Content).ToArray() is [var first, var second, ..])
        {
            // containerd's plugin.GetSingle: metadata is built on one content store.
            throw new ConfigurationException($"{Plugins}: {first.Name} and {second.Name} are both of type content; there is one content store");
        }

        ImmutableArray<string> order = [.. config.GetStringList("containerd.diff.order")];
        if (order.FirstOrDefault(name => name != "walking" && !proxies.Any(proxy => proxy.Kind == ProxyKind.Differ && proxy.Name == name)) is { } unknown)
        {
            throw new ConfigurationException($"containerd.diff.order: \"{unknown}\" is neither walking nor a plugin of type diff");
        }

        return order.IsEmpty
            ? throw new ConfigurationException("containerd.diff.order must name a differ")
            : new PluginSettings(proxies, order, [.. Entries(config, Programs).Select(name => Processor(config, name))])
            {
                UsesHostLibraries = config.GetBoolean("containerd.diff.host-libraries"),
            };
    }

    private static ProxyPlugin Proxy(Config config, string name)
    {
        string path = $"{Plugins}.\"{name}\"";
        Config keys = config.GetConfig(path);
        string type = keys.GetString("type") ?? "";
        ProxyKind kind = type switch
        {
            "snapshot" => ProxyKind.Snapshotter,
            "diff" => ProxyKind.Differ,
            "content" => ProxyKind.Content,
            "sandbox" => throw new ConfigurationException($"{path}.type: plugins of type {type} are not served; snapshot, diff and content are"),
            _ => throw new ConfigurationException($"{path}.type: \"{type}\" is none of snapshot, diff, content"),
        };
        if (Own.Contains(name))
        {
            throw new ConfigurationException($"{path}: {name} is what the daemon has itself");
        }

        string address = keys.GetString("address") ?? "";
        address = address.StartsWith("unix://", StringComparison.Ordinal) ? address["unix://".Length..] : address;
        TimeSpan timeout = keys.HasPath("call-timeout")
            ? keys.GetTimeSpan("call-timeout")
            : config.GetTimeSpan(kind == ProxyKind.Differ ? "containerd.proxies.diff-timeout" : "containerd.proxies.call-timeout");
        int operations = keys.HasPath("operations-max") ? keys.GetInt("operations-max") : config.GetInt("containerd.proxies.operations-max");
        if (!Path.IsPathRooted(address) || address.Length > 107)
        {
            throw new ConfigurationException($"{path}.address: \"{address}\" is not the absolute path of a unix socket");
        }

        return timeout < TimeSpan.FromSeconds(1) || timeout > TimeSpan.FromHours(24) ? throw new ConfigurationException($"{path}.call-timeout must lie between 1s and 24h")
            : operations is < 1 or > 100_000 ? throw new ConfigurationException($"{path}.operations-max must lie between 1 and 100,000")
            : new ProxyPlugin(name, kind, address, timeout, operations, List(keys, "capabilities"), List(keys, "platforms"), Exports(keys));
    }

    private static StreamProcessor Processor(Config config, string name)
    {
        string path = $"{Programs}.\"{name}\"";
        Config keys = config.GetConfig(path);
        StreamProcessor processor = new(
            name, List(keys, "accepts"), keys.GetString("returns") ?? "", keys.GetString("path") ?? "", List(keys, "args"), List(keys, "env"));
        return processor.Accepts.IsEmpty ? throw new ConfigurationException($"{path}.accepts must name a media type")
            : processor.Returns.Length == 0 ? throw new ConfigurationException($"{path}.returns must be a media type")
            : !Path.IsPathRooted(processor.Path) ? throw new ConfigurationException($"{path}.path: \"{processor.Path}\" is not an absolute path")
            : processor;
    }

    private static IEnumerable<string> Entries(Config config, string table) =>
        config.GetConfig(table) is { IsEmpty: false } entries && entries.Root.IsObject() ? entries.Root.GetObject().Items.Keys.Order(StringComparer.Ordinal) : [];

    private static ImmutableArray<string> List(Config keys, string name) => keys.HasPath(name) ? [.. keys.GetStringList(name)] : [];

    private static ImmutableDictionary<string, string> Exports(Config keys)
    {
        HoconValue? exports = keys.HasPath("exports") ? keys.GetValue("exports") : null;
        return exports is not null && exports.IsObject()
            ? exports.GetObject().Items.ToImmutableDictionary(item => item.Key, item => item.Value.GetString())
            : ImmutableDictionary<string, string>.Empty;
    }
}
