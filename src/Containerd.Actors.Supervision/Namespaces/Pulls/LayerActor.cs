// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Owns one layer of a pull: fetch it, wait until its parent is there, unpack it.</summary>
/// <remarks>
/// <code>
/// waiting --Fetch--> fetching --> stored --Unpack--> unpacking --> done
///                       |                               |
///                       +----------- failed ------------+
/// </code>
/// The bytes never pass through a mailbox of this actor; what comes are counts.
/// </remarks>
internal sealed class LayerActor(PullSteps steps, Descriptor layer, Digest diffId, int position, CancellationToken cancellationToken) : UntypedActor
{
    /// <summary>It is its turn to be fetched.</summary>
    internal sealed record Fetch;

    /// <summary>Its parent is there.</summary>
    internal sealed record Unpack(string Parent, string ChainId);

    /// <summary>Where it is; told to the pull.</summary>
    internal sealed record Moved(int Position, long Offset, LayerStage Stage);

    /// <summary>It could not be had; told to the pull.</summary>
    internal sealed record Broke(int Position, Error Error);

    public static Props Props(PullSteps steps, Descriptor layer, Digest diffId, int position, CancellationToken cancellationToken) =>
        Akka.Actor.Props.Create(() => new LayerActor(steps, layer, diffId, position, cancellationToken));

    protected override void OnReceive(object message)
    {
        IActorRef pull = Context.Parent;
        switch (message)
        {
            case Fetch:
                pull.Tell(new Moved(position, 0, LayerStage.Fetching));
                steps.FetchAsync(layer, offset => pull.Tell(new Moved(position, offset, LayerStage.Fetching), ActorRefs.NoSender), cancellationToken)
                    .PipeTo(Self, success: () => new Moved(position, layer.Size, LayerStage.Stored), failure: Broken);
                break;
            case Unpack unpack:
                pull.Tell(new Moved(position, layer.Size, LayerStage.Unpacking));
                steps.UnpackAsync(layer, diffId, unpack.Parent, unpack.ChainId, cancellationToken)
                    .PipeTo(Self, success: () => new Moved(position, layer.Size, LayerStage.Done), failure: Broken);
                break;
            case Moved or Broke:
                pull.Tell(message);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private object Broken(Exception cause) => new Broke(position, PullActor.ErrorOf(cause));
}
