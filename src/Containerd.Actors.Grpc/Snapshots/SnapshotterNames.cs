// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;

namespace Containerd.Actors.Grpc.Snapshots;

/// <summary>The snapshotters of the node.</summary>
/// <param name="Names">Their names.</param>
public sealed record SnapshotterNames(FrozenSet<string> Names);
