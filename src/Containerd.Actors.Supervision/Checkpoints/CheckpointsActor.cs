// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Storage.Checkpoints;

namespace Containerd.Actors.Supervision.Checkpoints;

/// <summary>Owns the images of processes that are on their way into content, one child each.</summary>
public sealed class CheckpointsActor : UntypedActor
{
    private readonly IActorRef _tree;
    private readonly CheckpointDirectories _directories;

    /// <summary>Makes the actor.</summary>
    public CheckpointsActor(IActorRef tree, CheckpointDirectories directories) => (_tree, _directories) = (tree, directories);

    /// <summary>The actor <c>/user/containerd/checkpoints</c>.</summary>
    /// <param name="tree">The root of the tree.</param>
    /// <param name="directories">Where images are written first.</param>
    public static Props Props(IActorRef tree, CheckpointDirectories directories) => Akka.Actor.Props.Create(() => new CheckpointsActor(tree, directories));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case CheckpointCommands.ToContent command: Context.ActorOf(CheckpointOperation.Props(_tree, _directories, command, Sender)); break;
            default: Unhandled(message); break;
        }
    }

    // See the row checkpoint operation of the failure table.
    /// <inheritdoc />
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);
}
