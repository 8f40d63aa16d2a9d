// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>This product's daemon with plugins: <c>far</c>, <c>impatient</c> and <c>one.type</c> with a daemon behind them, and <c>gone</c>, which is not there.</summary>
public sealed class ProxyingDaemon : ActorsDaemon
{
    private readonly QuietDaemon _behind = new();
    private PluginServer? _server;

    /// <inheritdoc />
    public override string Configuration => $$"""
        containerd.proxy-plugins {
          far { type = snapshot, address = "{{_behind.Work}}/p.sock", capabilities = [rebase], call-timeout = 30s, exports { root = "/far" } }
          impatient { type = snapshot, address = "{{_behind.Work}}/p.sock", call-timeout = 1s, operations-max = 2 }
          gone { type = snapshot, address = "{{_behind.Work}}/gone.sock" }
          "one.type" { type = diff, address = "{{_behind.Work}}/p.sock", platforms = ["linux/riscv64"] }
        }
        containerd.diff.order = ["one.type", "walking"]
        containerd.snapshots.overlayfs.upperdir-label = on
        containerd.stream-processors {
          unpack { accepts = ["application/vnd.example.packed"], returns = "application/vnd.oci.image.layer.v1.tar", path = "/bin/gzip", args = ["-dc"] }
          fail { accepts = ["application/vnd.example.locked"], returns = "application/vnd.oci.image.layer.v1.tar", path = "/bin/sh", args = ["-c", "echo no key >&2; exit 3"] }
        }
        """;

    /// <inheritdoc />
    public override async Task InitializeAsync()
    {
        if (Missing.Length == 0)
        {
            await _behind.InitializeAsync();
            _server = await PluginServer.StartAsync(Path.Combine(_behind.Work, "p.sock"), _behind.Connect("default").Snapshots);
        }

        await base.InitializeAsync();
    }

    /// <inheritdoc />
    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        if (_server is not null)
        {
            await _server.DisposeAsync();
            await _behind.DisposeAsync();
        }
    }

    /// <summary>Everything that <c>far</c> holds in a namespace.</summary>
    public async Task<List<string>> HeldAsync(string ns)
    {
        ContainerdConnection connection = _behind.Connect(ns);
        using var call = connection.Snapshots.List(new Services.Snapshots.V1.ListSnapshotsRequest { Snapshotter = "overlayfs" });
        List<string> keys = [];
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            keys.AddRange(call.ResponseStream.Current.Info.Select(info => info.Name));
        }

        return keys;
    }
}
