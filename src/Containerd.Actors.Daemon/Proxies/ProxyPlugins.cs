// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Grpc.Introspection;
using Containerd.Actors.Supervision.Diff;
using Containerd.Actors.Supervision.Snapshots;

namespace Containerd.Actors.Daemon.Proxies;

/// <summary>The plugins in other processes, and their connections for as long as the daemon runs.</summary>
internal sealed class ProxyPlugins : IDisposable
{
    private readonly PluginSettings _settings;
    private readonly Dictionary<string, ProxyConnection> _connections;

    public ProxyPlugins(PluginSettings settings)
    {
        _settings = settings;
        _connections = settings.Proxies.ToDictionary(plugin => plugin.Name, plugin => new ProxyConnection(plugin));
    }

    /// <summary>Names of the snapshotters.</summary>
    public IEnumerable<string> SnapshotterNames => _settings.Proxies.Where(plugin => !plugin.IsDiffer).Select(plugin => plugin.Name);

    /// <summary>The differs and their order.</summary>
    public DiffParts Differs => new(
        _settings.DiffOrder,
        [.. _settings.Proxies.Where(plugin => plugin.IsDiffer).Select(IProxiedDiffer (plugin) => new ProxyDiffer(plugin, _connections[plugin.Name]))]);

    /// <summary>What clients are told of the plugins.</summary>
    public IEnumerable<PluginFacts> Facts => _settings.Proxies.Select(plugin =>
        new PluginFacts(plugin.IsDiffer ? "io.containerd.differ.v1" : "io.containerd.snapshotter.v1", plugin.Name)
        {
            IsOfPlatform = true,
            Capabilities = plugin.Capabilities,
            Platforms = plugin.Platforms,
            Exports = plugin.Exports.SetItem("address", plugin.Address),
        });

    /// <summary>The snapshotters and their bounds.</summary>
    public ImmutableArray<(IProxiedSnapshotter Plugin, ProxySettings Settings)> Snapshotters(TimeSpan answerTimeout) =>
    [
        .. _settings.Proxies.Where(plugin => !plugin.IsDiffer).Select((IProxiedSnapshotter, ProxySettings) (plugin) =>
            (new ProxySnapshotter(plugin, _connections[plugin.Name]), new ProxySettings(plugin.OperationsMax, answerTimeout))),
    ];

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (ProxyConnection connection in _connections.Values)
        {
            connection.Dispose();
        }
    }
}
