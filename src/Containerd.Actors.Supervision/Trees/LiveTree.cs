// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Protocol.Trees;

namespace Containerd.Actors.Supervision.Trees;

/// <summary>Walks from an actor down by the references that supervisors hold.</summary>
/// <param name="root">Where to begin.</param>
public sealed class LiveTree(IActorRef root) : ILiveTree
{
    /// <inheritdoc />
    public ImmutableArray<LiveActor> Walk()
    {
        ImmutableArray<LiveActor>.Builder found = ImmutableArray.CreateBuilder<LiveActor>();
        Walk(root, found);
        return found.ToImmutable();
    }

    private static void Walk(IActorRef actor, ImmutableArray<LiveActor>.Builder found)
    {
        if (actor is not ActorRefWithCell cell)
        {
            return;
        }

        string type = cell.Underlying.Props?.Type.Name ?? "";
        found.Add(new LiveActor(cell.Path.ToStringWithoutAddress(), type));
        foreach (IActorRef child in cell.Children.OrderBy(child => child.Path.Name, StringComparer.Ordinal))
        {
            Walk(child, found);
        }
    }
}
