// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;

namespace Containerd.Actors.Supervision.Executor;

/// <summary>Questions to the executor. Local only.</summary>
public static class ExecutorQueries
{
    /// <summary>Always legal; answered with <see cref="ExecutorStatus"/>.</summary>
    public sealed record GetStatus;
}

/// <summary>The lanes of all kinds at one moment.</summary>
public sealed record ExecutorStatus(ImmutableArray<LaneStatus> Kinds);

/// <summary>The lanes of one kind.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Lanes">In service.</param>
/// <param name="Busy">Of these, at work.</param>
/// <param name="Queued">Effects that wait.</param>
/// <param name="Abandoned">Lanes given up whose call has not returned.</param>
/// <param name="Stuck">Lanes given up since the start.</param>
public sealed record LaneStatus(LaneKind Kind, int Lanes, int Busy, int Queued, int Abandoned, long Stuck);

/// <summary>Frees what a result carries when nobody is left to receive it.</summary>
internal static class LateOutcomes
{
    public static void Discard(this Outcome.Done done) => (done.Value as IDisposable)?.Dispose();
}
