// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Protocol.Trees;

/// <summary>Shows the supervision tree without asking any actor, so that one that hangs is seen like the others.</summary>
public interface ILiveTree
{
    /// <summary>Every actor, parents before children, children by name.</summary>
    ImmutableArray<LiveActor> Walk();
}
