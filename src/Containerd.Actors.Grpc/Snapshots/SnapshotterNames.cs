// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;
using Containerd.Actors.Core.Snapshots;

namespace Containerd.Actors.Grpc.Snapshots;

/// <summary>The snapshotters of the node.</summary>
/// <param name="Names">Their names.</param>
public sealed record SnapshotterNames(FrozenSet<string> Names)
{
    /// <summary>The upper directory of an active snapshot, if it is to be told in a label; null otherwise.</summary>
    public Func<SnapshotRecord, string?> UpperDirectory { get; init; } = static _ => null;
}
