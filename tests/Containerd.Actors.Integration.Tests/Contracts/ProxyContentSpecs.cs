// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.TestKit.Contracts;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Content.V1;
using Containerd.Services.Introspection.V1;
using Grpc.Core;
using Info = Containerd.Services.Content.V1.Info;

namespace Containerd.Actors.Integration.Tests.Contracts;

public sealed class ProxyContentStoreSpecs(ContentProxyingDaemon daemon) : ContentStoreContract(daemon), IClassFixture<ContentProxyingDaemon>
{
    [SkippableFact]
    public async Task The_plugin_has_what_is_committed_and_gives_up_what_nothing_keeps()
    {
        // The client of a contract holds a lease; another one does not.
        string digest = await StoreAsync(Guid.NewGuid().ToByteArray(), daemon.Missing.Length == 0 ? daemon.Connect(Client.Namespace) : null);
        Assert.Contains(digest, await daemon.HeldAsync());
        Assert.DoesNotContain(
            Directory.EnumerateFiles(Path.Combine(daemon.Root, "io.containerd.content.v1.content"), "*", SearchOption.AllDirectories),
            file => file.Contains("blobs", StringComparison.Ordinal));
        await CollectAsync();
        Assert.DoesNotContain(digest, await daemon.HeldAsync());
    }

    [SkippableFact]
    public async Task What_the_plugin_keeps_outlives_both()
    {
        byte[] bytes = Guid.NewGuid().ToByteArray();
        string digest = await StoreAsync(bytes);
        await Client.Content.UpdateAsync(new UpdateRequest
        {
            Info = new Info { Digest = digest, Labels = { ["containerd.io/gc.root"] = "now" } },
            UpdateMask = new Google.Protobuf.WellKnownTypes.FieldMask { Paths = { "labels.containerd.io/gc.root" } },
        });
        await daemon.KillPluginAsync();
        await daemon.KillAsync();
        await daemon.StartPluginAsync();
        await daemon.StartAsync();
        Assert.Equal(bytes, await FetchAsync(digest));
    }
}

public sealed class ProxyContentAwaySpecs(ContentProxyingDaemon daemon) : Contract(daemon), IClassFixture<ContentProxyingDaemon>
{
    [SkippableFact]
    public async Task A_content_store_that_is_away_or_hangs_is_named_and_nothing_is_lost()
    {
        byte[] bytes = Guid.NewGuid().ToByteArray();
        string digest = await StoreAsync(bytes);
        await Client.Content.UpdateAsync(new UpdateRequest
        {
            Info = new Info { Digest = digest, Labels = { ["containerd.io/gc.root"] = "now" } },
            UpdateMask = new Google.Protobuf.WellKnownTypes.FieldMask { Paths = { "labels.containerd.io/gc.root" } },
        });
        daemon.SignalPlugin("STOP");
        await RefusedAsync(StatusCode.DeadlineExceeded, "proxy plugin \"far-blobs\" at .*c.sock: Read: has not answered within 2s.*", () => FetchAsync(digest));
        Assert.Equal(digest, (await Client.Content.InfoAsync(new InfoRequest { Digest = digest })).Info.Digest);
        daemon.SignalPlugin("CONT");
        Assert.Equal(bytes, await FetchAsync(digest));

        await daemon.KillPluginAsync();
        await RefusedAsync(StatusCode.Unavailable, "proxy plugin \"far-blobs\" at .*c.sock: Read: .*: unavailable", () => FetchAsync(digest));
        byte[] late = Guid.NewGuid().ToByteArray();
        await RefusedAsync(StatusCode.Unavailable, null, () => StoreAsync(late));
        await daemon.StartPluginAsync();
        Assert.Equal(digest, DigestOf(await FetchAsync(digest)));
        Assert.Equal(DigestOf(late), await StoreAsync(late));
    }

    [SkippableFact]
    public async Task Clients_are_told_of_the_plugin_in_place_of_the_daemons_own_store()
    {
        PluginsResponse plugins = await Client.Introspection.PluginsAsync(new PluginsRequest { Filters = { "type==io.containerd.content.v1" } });
        Plugin store = Assert.Single(plugins.Plugins);
        Assert.Equal(("far-blobs", "/far"), (store.Id, store.Exports["root"]));
    }
}
