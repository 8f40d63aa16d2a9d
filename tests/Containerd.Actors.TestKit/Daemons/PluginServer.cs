// SPDX-License-Identifier: Apache-2.0

using Containerd.Services.Diff.V1;
using Containerd.Services.Snapshots.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>A plugin as containerd would have it in another process: snapshotters that keep their snapshots in a daemon behind it, and a differ.</summary>
/// <remarks>
/// What is asked of it says how it behaves: it never answers about keys that end in <c>hang</c>, and has at once, under a name of its own,
/// the target of what ends in <c>remote</c>. As a differ it knows one media type alone.
/// </remarks>
public sealed class PluginServer : IAsyncDisposable
{
    /// <summary>The media type that the differ knows.</summary>
    public const string MediaType = "application/vnd.example.layer";

    private readonly WebApplication _application;

    private PluginServer(WebApplication application) => _application = application;

    /// <summary>Serves at a socket.</summary>
    public static async Task<PluginServer> StartAsync(string socket, Snapshots.SnapshotsClient behind)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(behind);
        builder.Services.AddGrpc();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2));
        WebApplication application = builder.Build();
        application.MapGrpcService<Forwarding>();
        application.MapGrpcService<OneType>();
        await application.StartAsync();
        return new PluginServer(application);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private sealed class OneType : Diff.DiffBase
    {
        public override Task<ApplyResponse> Apply(ApplyRequest request, ServerCallContext context) => request.Diff.MediaType == MediaType
            ? Task.FromResult(new ApplyResponse { Applied = request.Diff })
            : throw new RpcException(new Status(StatusCode.Unimplemented, "another type"));

        public override Task<DiffResponse> Diff(DiffRequest request, ServerCallContext context) =>
            throw new RpcException(new Status(StatusCode.Unimplemented, "no layers made"));
    }

    private sealed class Forwarding(Snapshots.SnapshotsClient behind) : Snapshots.SnapshotsBase
    {
        public override async Task<PrepareSnapshotResponse> Prepare(PrepareSnapshotRequest request, ServerCallContext context)
        {
            await HangAsync(request.Key, context);
            request.Snapshotter = Behind(request.Snapshotter);
            PrepareSnapshotResponse prepared = await behind.PrepareAsync(request, Headers(context));
            if (!request.Key.EndsWith("remote", StringComparison.Ordinal))
            {
                return prepared;
            }

            string target = request.Labels["containerd.io/snapshot.ref"];
            CommitSnapshotRequest commit = new() { Snapshotter = request.Snapshotter, Name = $"own-{Guid.NewGuid():N}", Key = request.Key };
            commit.Labels["containerd.io/snapshot.ref"] = target;
            await behind.CommitAsync(commit, Headers(context));
            throw new RpcException(new Status(StatusCode.AlreadyExists, $"target snapshot \"{target}\": already exists"));
        }

        public override async Task<ViewSnapshotResponse> View(ViewSnapshotRequest request, ServerCallContext context)
        {
            await HangAsync(request.Key, context);
            request.Snapshotter = Behind(request.Snapshotter);
            return await behind.ViewAsync(request, Headers(context));
        }

        public override async Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context)
        {
            request.Snapshotter = Behind(request.Snapshotter);
            return await behind.MountsAsync(request, Headers(context));
        }

        public override async Task<Empty> Commit(CommitSnapshotRequest request, ServerCallContext context)
        {
            request.Snapshotter = Behind(request.Snapshotter);
            return await behind.CommitAsync(request, Headers(context));
        }

        public override async Task<Empty> Remove(RemoveSnapshotRequest request, ServerCallContext context)
        {
            request.Snapshotter = Behind(request.Snapshotter);
            Empty removed = await behind.RemoveAsync(request, Headers(context));
            await behind.CleanupAsync(new CleanupRequest { Snapshotter = request.Snapshotter }, Headers(context));
            return removed;
        }

        public override async Task<UsageResponse> Usage(UsageRequest request, ServerCallContext context)
        {
            request.Snapshotter = Behind(request.Snapshotter);
            return await behind.UsageAsync(request, Headers(context));
        }

        public override async Task List(ListSnapshotsRequest request, IServerStreamWriter<ListSnapshotsResponse> responseStream, ServerCallContext context)
        {
            request.Snapshotter = Behind(request.Snapshotter);
            using AsyncServerStreamingCall<ListSnapshotsResponse> call = behind.List(request, Headers(context));
            await foreach (ListSnapshotsResponse message in call.ResponseStream.ReadAllAsync())
            {
                await responseStream.WriteAsync(message);
            }
        }

        // Two plugins never share what they hold.
        private static string Behind(string snapshotter) => snapshotter == "far" ? "overlayfs" : "native";

        private static Metadata Headers(ServerCallContext context) =>
            new() { { "containerd-namespace", context.RequestHeaders.GetValue("containerd-namespace")! } };

        private static Task HangAsync(string key, ServerCallContext context) =>
            key.EndsWith("hang", StringComparison.Ordinal) ? Task.Delay(Timeout.Infinite, context.CancellationToken) : Task.CompletedTask;
    }
}
