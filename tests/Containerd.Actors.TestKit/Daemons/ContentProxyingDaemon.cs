// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Services.Content.V1;
using Grpc.Core;

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>This product's daemon with a content store in another process, which is a daemon of its own.</summary>
public sealed class ContentProxyingDaemon : ActorsDaemon
{
    private readonly QuietDaemon _behind = new();

    /// <inheritdoc />
    public override string Configuration => $$"""
        containerd.proxy-plugins.far-blobs { type = content, address = "{{_behind.Address}}", call-timeout = 2s, exports { root = "/far" } }
        """;

    /// <inheritdoc />
    public override async Task InitializeAsync()
    {
        await _behind.InitializeAsync();
        await base.InitializeAsync();
    }

    /// <inheritdoc />
    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _behind.DisposeAsync();
    }

    /// <summary>Signals the plugin.</summary>
    public void SignalPlugin(string name) => _behind.Signal(name);

    /// <summary>Ends the plugin as a power cut would.</summary>
    public Task KillPluginAsync() => _behind.KillAsync();

    /// <summary>Starts the plugin again.</summary>
    public Task StartPluginAsync() => _behind.StartAsync();

    /// <summary>Every digest that the plugin holds.</summary>
    public async Task<List<string>> HeldAsync()
    {
        ContainerdConnection connection = _behind.Connect("default");
        using AsyncServerStreamingCall<ListContentResponse> call = connection.Content.List(new ListContentRequest());
        List<string> digests = [];
        await foreach (ListContentResponse message in call.ResponseStream.ReadAllAsync())
        {
            digests.AddRange(message.Info.Select(info => info.Digest));
        }

        return digests;
    }
}
