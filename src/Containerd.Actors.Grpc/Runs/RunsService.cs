// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Runs;
using Containerd.Runs.V1;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Runs;

/// <summary>Containers that are made, run and removed by one request.</summary>
/// <param name="tree">The supervision tree.</param>
/// <param name="system">Where those who wait for runs live.</param>
public sealed class RunsService(Tree tree, ActorSystem system) : Containerd.Runs.V1.Runs.RunsBase
{
    /// <inheritdoc />
    public override async Task Run(RunRequest request, IServerStreamWriter<RunResponse> responseStream, ServerCallContext context)
    {
        RunCommands.Run run = new(context.Namespace(), RunMessages.ToWish(request), context.Caller());

        // At most three steps and the end.
        Channel<RunProgress> steps = Channel.CreateUnbounded<RunProgress>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        await foreach (RunProgress progress in tree.FollowAsync(system, run, steps, ask: null, context.CancellationToken).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(RunMessages.ToWire(progress), context.CancellationToken).ConfigureAwait(false);
        }
    }
}
