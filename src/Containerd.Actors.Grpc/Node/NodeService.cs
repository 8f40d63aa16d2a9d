// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Trees;
using Containerd.Node.V1;
using Grpc.Core;
using LayerProgress = Containerd.Actors.Protocol.Pulls.LayerProgress;
using PullProgress = Containerd.Actors.Protocol.Pulls.PullProgress;

namespace Containerd.Actors.Grpc.Node;

/// <summary>The node as it is now.</summary>
/// <param name="live">Shows the live tree.</param>
/// <param name="tree">The supervision tree.</param>
/// <param name="system">Where watchers of pulls live.</param>
public sealed class NodeService(ILiveTree live, Tree tree, ActorSystem system) : Containerd.Node.V1.Node.NodeBase
{
    private const string DefaultSnapshotter = "overlayfs";

    /// <inheritdoc />
    public override Task<TreeResponse> Tree(TreeRequest request, ServerCallContext context)
    {
        TreeResponse response = new();
        response.Nodes.AddRange(live.Walk().Select(actor => new TreeNode { Path = actor.Path, Type = actor.Type }));
        return Task.FromResult(response);
    }

    /// <inheritdoc />
    public override async Task Pull(PullRequest request, IServerStreamWriter<Containerd.Node.V1.PullProgress> responseStream, ServerCallContext context)
    {
        string snapshotter = request.Snapshotter.Length > 0 ? request.Snapshotter : DefaultSnapshotter;
        PullWish wish = new()
        {
            Names = [new PullName(request.Reference)],
            Labels = request.Labels.ToLabels(),
            Platforms = PlatformSelection.Best(Platform(request.Platform) ?? Platforms.Host),
            Unpacks = [new PullUnpack(null, snapshotter)],
        };
        PullSource source = new(request.PlainHttp, request.HostsDir, request.Username, request.Secret);
        PullCommands.Pull pull = new(context.Namespace(), request.Reference, wish, source, GoesOn: true, context.Caller());

        // A slow caller misses steps in between, never the last.
        Channel<PullProgress> steps = Channel.CreateBounded<PullProgress>(new BoundedChannelOptions(16) { FullMode = BoundedChannelFullMode.DropOldest });
        await foreach (PullProgress progress in tree.FollowAsync(system, pull, steps, ask: null, context.CancellationToken).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(ToWire(progress), context.CancellationToken).ConfigureAwait(false);
            if (progress.IsFinal)
            {
                break;
            }
        }
    }

    /// <inheritdoc />
    public override async Task<CollectResponse> Collect(CollectRequest request, ServerCallContext context)
    {
        GarbageRun run = await tree.AwaitAsync(new GarbageCommands.Run(context.Caller(), request.DryRun), context.CancellationToken).ConfigureAwait(false);
        return GarbageMessages.ToWire(run);
    }

    /// <inheritdoc />
    public override async Task<ExplainResponse> Explain(ExplainRequest request, ServerCallContext context)
    {
        string ns = context.Namespace();
        if (request.Name.Length == 0)
        {
            throw new RefusedException(Error.Invalid("name must not be empty"));
        }

        ImmutableArray<GarbageExplanation> found = await tree.AskAsync(
            new GarbageCommands.Explain(ns, request.Name), context.CancellationToken).ConfigureAwait(false);
        return new ExplainResponse { Explanations = { found.Select(GarbageMessages.ToWire) } };
    }

    private static Platform? Platform(string text)
    {
        try
        {
            return text.Length == 0 ? null : Platforms.Parse(text);
        }
        catch (FormatException malformed)
        {
            throw new RefusedException(Error.Invalid(malformed.Message), malformed);
        }
    }

    private static Containerd.Node.V1.PullProgress ToWire(PullProgress progress)
    {
        Containerd.Node.V1.PullProgress wire = new()
        {
            Operation = progress.Operation,
            Reference = progress.Reference,
            Stage = progress.Stage switch
            {
                PullStage.Resolving => "resolving",
                PullStage.Fetching => "fetching",
                PullStage.Unpacking => "unpacking",
                PullStage.Completed => "completed",
                _ => "failed",
            },
            Digest = progress.Target?.ToString() ?? "",
            Error = progress.Error?.Text ?? "",
        };
        wire.Layers.AddRange(progress.Layers.Select(ToWire));
        return wire;
    }

    private static Containerd.Node.V1.LayerProgress ToWire(LayerProgress layer) => new()
    {
        Digest = layer.Layer.Digest.ToString(),
        MediaType = layer.Layer.MediaType,
        Offset = layer.Offset,
        Total = layer.Layer.Size,
        Stage = layer.Stage switch
        {
            LayerStage.Waiting => "waiting",
            LayerStage.Fetching => "fetching",
            LayerStage.Stored => "stored",
            LayerStage.Unpacking => "unpacking",
            _ => "done",
        },
    };
}
