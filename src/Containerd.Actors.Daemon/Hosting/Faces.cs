// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Daemon.Logging;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Events;
using Containerd.Actors.Grpc.Transfers;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Linux.Sockets;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Ttrpc;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>The sockets of the daemon: gRPC at the address, ttrpc beside it.</summary>
internal sealed class Faces : IAsyncDisposable
{
    private readonly WebApplication _grpc;
    private readonly ServiceRoutes _routes;
    private readonly TtrpcServer _ttrpc;
    private readonly DaemonSettings _settings;

    private Faces(WebApplication grpc, ServiceRoutes routes, TtrpcServer ttrpc, DaemonSettings settings) =>
        (_grpc, _routes, _ttrpc, _settings) = (grpc, routes, ttrpc, settings);

    /// <summary>Binds both sockets and serves; sockets that an earlier daemon left are replaced.</summary>
    public static async Task<Faces> StartAsync(DaemonSettings settings, ILoggerFactory logs, Action<IServiceCollection> services, Tree tree)
    {
        WebApplication grpc = Build(settings, services);
        ServiceRoutes routes = new(grpc.Services);
        grpc.Run(routes.InvokeAsync);
        TtrpcServer ttrpc = new(TtrpcEvents.Handlers(tree), peer => peer.Uid == ProcessFacts.EffectiveIds.User);
        try
        {
            File.Delete(settings.Address);
            await grpc.StartAsync();
            Own(settings, settings.Address);
            File.Delete(settings.Address + ".ttrpc");
            ttrpc.Listen(settings.Address + ".ttrpc", settings.Mode);
            Own(settings, settings.Address + ".ttrpc");
            return new Faces(grpc, routes, ttrpc, settings);
        }
        catch
        {
            await grpc.DisposeAsync();
            await ttrpc.DisposeAsync();
            throw;
        }
    }

    /// <summary>Binds the services that nobody has called yet; calls go on meanwhile.</summary>
    public void Bind() => _routes.Bind();

    /// <summary>Takes no more calls and gives those under way a moment.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        using CancellationTokenSource impatience = new(patience);
        await _grpc.StopAsync(impatience.Token);
        await _ttrpc.StopAsync(impatience.Token);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _grpc.DisposeAsync();
        await _ttrpc.DisposeAsync();
        File.Delete(_settings.Address);
        File.Delete(_settings.Address + ".ttrpc");
    }

    private static WebApplication Build(DaemonSettings settings, Action<IServiceCollection> services)
    {
        // Nothing but what follows: no settings from the environment or from files of the directory that the daemon was started in.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        Logs.Configure(builder.Logging, settings.LogLevel);
        services(builder.Services);
        builder.Services.AddTransfers();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, ConnectionMemory.Factory>();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = settings.MessageSizeMax;
            grpc.MaxSendMessageSize = settings.MessageSizeMax;
            grpc.Interceptors.Add<ErrorInterceptor>();
        });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            // Go's clients keep one connection for everything they do at once.
            kestrel.Limits.Http2.MaxStreamsPerConnection = 10_000;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 8 << 20;
            kestrel.Limits.Http2.InitialStreamWindowSize = 4 << 20;
            kestrel.Limits.Http2.MaxFrameSize = 1 << 20;
            kestrel.ListenUnixSocket(settings.Address, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => connection => AcceptAsync(connection, next));
            });
        });
        return builder.Build();
    }

    // unix(7), SO_PEERCRED: who connected is known to the kernel and cannot be claimed.
    private static Task AcceptAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
        {
            PeerCredentials peer = PeerCredentials.Read(socket);
            connection.Items[Call.PrincipalItem] = Principal.User(peer.Uid, peer.Gid, peer.Pid, peer.Executable());
        }

        return next(connection);
    }

    private static void Own(DaemonSettings settings, string socket)
    {
        File.SetUnixFileMode(socket, settings.Mode);
        using DirectoryHandle directory = DirectoryHandle.Open(Path.GetDirectoryName(socket)!);
        directory.ChangeOwner(Path.GetFileName(socket), settings.Uid, settings.Gid);
    }
}
