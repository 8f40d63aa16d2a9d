// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Core.Events;

/// <summary>A state as the shortest list of events that leads to it: what is stored to shorten recovery.</summary>
/// <remarks>A savepoint in events needs no stored form of its own and cannot disagree with what applying events means.</remarks>
/// <param name="Events">In the order in which they are to be applied to the initial state.</param>
public sealed record Savepoint(ImmutableArray<DomainEvent> Events);
