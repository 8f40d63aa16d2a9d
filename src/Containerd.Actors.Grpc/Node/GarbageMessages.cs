// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.GarbageCollection;
using Containerd.Node.V1;
using GarbageStep = Containerd.Actors.Core.GarbageCollection.GarbageStep;

namespace Containerd.Actors.Grpc.Node;

/// <summary>What garbage collection says, on the wire.</summary>
internal static class GarbageMessages
{
    public static CollectResponse ToWire(GarbageRun run)
    {
        CollectResponse wire = new()
        {
            Blobs = run.Content.Count,
            BlobBytes = run.Content.Bytes,
            Directories = run.Snapshots.Count,
            Mounts = run.Mounts.Count,
            Microseconds = (long)run.Duration.TotalMicroseconds,
        };
        wire.Removed.AddRange(run.Things.Select(removed => new CondemnedThing
        {
            Namespace = removed.Namespace,
            Thing = ToWire(removed.Thing.Node),
            Bytes = removed.Thing.Bytes,
            Reason = removed.Thing.Reason,
        }));
        return wire;
    }

    public static Explanation ToWire(GarbageExplanation explanation)
    {
        Explanation wire = new()
        {
            Thing = ToWire(explanation.Thing), Kept = !explanation.Kept.IsEmpty, Verdict = explanation.Verdict,
        };
        wire.Path.AddRange(explanation.Kept.Select(ToWire));
        wire.InVain.AddRange(explanation.InVain.Select(ToWire));
        return wire;
    }

    private static Containerd.Node.V1.GarbageStep ToWire(GarbageStep step) => new() { Thing = ToWire(step.Node), Reason = step.Reason };

    private static GarbageThing ToWire(GarbageNode node) => new()
    {
        Kind = node.Kind.ToString().ToLowerInvariant(),
        Id = node.Id,
        Snapshotter = node.Snapshotter,
    };
}
