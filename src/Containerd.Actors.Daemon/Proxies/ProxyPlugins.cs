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
    public IEnumerable<string> SnapshotterNames => _settings.Proxies.Where(plugin => plugin.Kind == ProxyKind.Snapshotter).Select(plugin => plugin.Name);

    /// <summary>The differs and their order.</summary>
    public DiffParts Differs => new(
        _settings.DiffOrder,
        [.. _settings.Proxies.Where(plugin => plugin.Kind == ProxyKind.Differ).Select(IProxiedDiffer (plugin) => new ProxyDiffer(plugin, _connections[plugin.Name]))]);

    /// <summary>What clients are told of the plugins.</summary>
    public IEnumerable<PluginFacts> Facts => _settings.Proxies.Select(plugin =>
        new PluginFacts(TypeOf(plugin.Kind), plugin.Name)
        {
            IsOfPlatform = true,
            Capabilities = plugin.Capabilities,
            Platforms = plugin.Platforms,
            Exports = plugin.Exports.SetItem("address", plugin.Address),
        });

    /// <summary>The content store that takes the place of the daemon's; null for none.</summary>
    public ProxyBlobs? Content => _settings.Proxies.FirstOrDefault(plugin => plugin.Kind == ProxyKind.Content) is { } plugin
        ? new ProxyBlobs(_connections[plugin.Name])
        : null;

    /// <summary>The snapshotters and their bounds.</summary>
    public ImmutableArray<(IProxiedSnapshotter Plugin, ProxySettings Settings)> Snapshotters(TimeSpan answerTimeout) =>
    [
        .. _settings.Proxies.Where(plugin => plugin.Kind == ProxyKind.Snapshotter).Select((IProxiedSnapshotter, ProxySettings) (plugin) =>
            (new ProxySnapshotter(plugin, _connections[plugin.Name]), new ProxySettings(plugin.OperationsMax, answerTimeout))),
    ];

    private static string TypeOf(ProxyKind kind) => kind switch
    {
        ProxyKind.Snapshotter => "io.containerd.snapshotter.v1",
        ProxyKind.Differ => "io.containerd.differ.v1",
        _ => "io.containerd.content.v1",
    };

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (ProxyConnection connection in _connections.Values)
        {
            connection.Dispose();
        }
    }
}
