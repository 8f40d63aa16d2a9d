// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Values;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>The progress of a pull in containerd's words: what changed between two moments.</summary>
public static class PullEvents
{
    /// <summary>A registry as a place, for texts.</summary>
    public static string Place(string reference) => $"OCI Registry ({reference})";

    /// <summary>What to tell a client that knows the earlier moment.</summary>
    public static IEnumerable<Progress> Between(PullProgress before, PullProgress now)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(now);
        if (before.Root is null && now.Root is { } root)
        {
            yield return new Progress { Event = $"Pulling from {Place(now.Reference)}" };
            yield return new Progress { Event = "fetching image content", Name = now.Reference, Desc = ToWire(root) };
        }

        Dictionary<Digest, string> names = now.Documents.ToDictionary(document => document.Layer.Digest, document => ContentLabels.IngestKey(document.Layer));
        Dictionary<Digest, LayerProgress> known = Each(before).DistinctBy(blob => blob.Layer.Digest).ToDictionary(blob => blob.Layer.Digest);
        foreach (LayerProgress blob in Each(now).DistinctBy(blob => blob.Layer.Digest))
        {
            LayerProgress? earlier = known.GetValueOrDefault(blob.Layer.Digest);
            foreach ((string text, long offset) in Events(earlier, blob))
            {
                yield return new Progress
                {
                    Event = text,
                    Name = ContentLabels.IngestKey(blob.Layer),
                    Parents = { blob.Parents.IsEmpty ? [now.Reference] : blob.Parents.Select(parent => names.GetValueOrDefault(parent, now.Reference)) },
                    Progress_ = offset,
                    Total = blob.Layer.Size,
                    Desc = ToWire(blob.Layer),
                };
            }
        }

        if (now.Stage == PullStage.Completed && before.Stage != PullStage.Completed)
        {
            foreach (string name in now.Names)
            {
                yield return new Progress { Event = "saved", Name = name, Desc = now.Root is { } target ? ToWire(target) : null };
            }

            yield return new Progress { Event = $"Completed pull from {Place(now.Reference)}" };
        }
    }

    private static IEnumerable<LayerProgress> Each(PullProgress progress) => progress.Documents.Concat(progress.Layers);

    // A blob may have taken several steps between two moments; each is told, so that clients can count them.
    private static IEnumerable<(string Text, long Offset)> Events(LayerProgress? before, LayerProgress now)
    {
        if (before is null && !now.WasThere)
        {
            yield return ("waiting", 0);
        }

        if (now.Stage == LayerStage.Fetching && now.Offset > 0 && now.Offset != before?.Offset)
        {
            yield return ("downloading", now.Offset);
        }

        bool wasStored = before?.Stage >= LayerStage.Stored;
        if (now.Stage >= LayerStage.Stored && !wasStored)
        {
            yield return (now.WasThere ? "already exists" : "complete", now.Layer.Size);
        }

        bool wasUnpacking = before?.Stage >= LayerStage.Unpacking;
        if (now.IsUnpacked && now.Stage >= LayerStage.Unpacking && !wasUnpacking)
        {
            yield return ("extracting", now.Layer.Size);
        }

        if (now.IsUnpacked && now.Stage == LayerStage.Done && before?.Stage != LayerStage.Done)
        {
            yield return ("extracted", now.Layer.Size);
        }
    }

    private static Types.Descriptor ToWire(Descriptor descriptor) => new()
    {
        MediaType = descriptor.MediaType,
        Digest = descriptor.Digest.ToString(),
        Size = descriptor.Size,
        Annotations = { descriptor.Annotations ?? Labels.None },
    };
}
