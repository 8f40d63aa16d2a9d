// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>Unpacks an image whose layers are stored, several at once; snapshots that are there are taken.</summary>
internal sealed class LayerUnpacking(UnpackStep unpacking, ContentAccess content, int unpacksMax, Caller by)
{
    /// <summary>Unpacks all layers, and makes the configuration keep the top snapshot.</summary>
    /// <exception cref="RefusedException">A layer is missing or not what the configuration says.</exception>
    public async Task RunAsync(
        Manifest manifest, Descriptor config, ImageConfig image, string snapshotter, TransferProgress progress, CancellationToken cancellationToken)
    {
        IReadOnlyList<Digest> diffIds = image.RootFs.DiffIds;
        if (diffIds.Count != manifest.Layers.Count)
        {
            throw new RefusedException(Error.Invalid($"mismatched image rootfs and manifest layers: {diffIds.Count} != {manifest.Layers.Count}"));
        }

        PlannedImage planned = new([.. manifest.Layers], [.. manifest.Layers], [.. diffIds], [snapshotter]);
        PullPlan plan = PullPlan.Of([planned], 1, unpacksMax);
        for (int i = 0; i < plan.Blobs.Length; i++)
        {
            plan = plan.Stored(i);
        }

        await RunAsync(plan, progress, cancellationToken).ConfigureAwait(false);
        if (planned.TopChainId is { } top)
        {
            await content.LabelAsync(
                config.Digest, Protocol.Values.Labels.None.Add(ContentLabels.SnapshotReference + snapshotter, top), cancellationToken).ConfigureAwait(false);
        }
    }

    // When one fails the others end before it is told, and what has no parent yet is removed.
    private async Task RunAsync(PullPlan plan, TransferProgress progress, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<Ended>> underWay = [];
        Dictionary<int, ExtractedSnapshot> detached = [];
        try
        {
            while (true)
            {
                (plan, ImmutableArray<PullStep> steps) = plan.Next();
                foreach (PullStep step in steps.Where(step => step is not PullStep.Finish))
                {
                    underWay.Add(TakeAsync(plan, step, detached, progress, stop.Token));
                }

                if (underWay.Count == 0)
                {
                    return;
                }

                Task<Ended> first = await Task.WhenAny(underWay).ConfigureAwait(false);
                underWay.Remove(first);
                (PullStep ended, ExtractedSnapshot? extracted, bool isAttached) = await first.ConfigureAwait(false);
                plan = After(plan, ended, extracted, isAttached, detached);
                if (ended is not PullStep.Unpack { IsDetached: true } || (extracted is null && !isAttached))
                {
                    Tell(progress, "extracted", LayerOf(plan, ended), isDone: true);
                }
            }
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            foreach (Task<Ended> left in underWay)
            {
                await Task.WhenAny(left).ConfigureAwait(false);
                if (left is { IsCompletedSuccessfully: true, Result: { Step: PullStep.Unpack unpack, Extracted: { } late } })
                {
                    detached[unpack.Snapshot] = late;
                }
            }

            foreach ((int snapshot, ExtractedSnapshot left) in detached)
            {
                await unpacking.DropAsync(plan.Snapshots[snapshot], left, by).ConfigureAwait(false);
            }

            throw;
        }
    }

    private async Task<Ended> TakeAsync(
        PullPlan plan, PullStep step, Dictionary<int, ExtractedSnapshot> detached, TransferProgress progress, CancellationToken cancellationToken)
    {
        int position = PositionOf(step);
        PlannedSnapshot snapshot = plan.Snapshots[position];
        Descriptor layer = LayerOf(plan, step);
        string parent = snapshot.Parent < 0 ? "" : plan.Snapshots[snapshot.Parent].ChainId;
        if (step is PullStep.Link && detached.Remove(position, out ExtractedSnapshot? linked))
        {
            await unpacking.LinkAsync(layer, snapshot, linked, parent, by).ConfigureAwait(false);
            return new Ended(step, null, IsAttached: false);
        }

        Tell(progress, "extracting", layer, isDone: false);
        if (step is not PullStep.Unpack { IsDetached: true })
        {
            await unpacking.UnpackAsync(layer, snapshot, parent, by, cancellationToken).ConfigureAwait(false);
            return new Ended(step, null, IsAttached: false);
        }

        try
        {
            return new Ended(step, await unpacking.ExtractAsync(layer, snapshot, new Extraction(null, null), by, cancellationToken).ConfigureAwait(false), IsAttached: false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotImplemented)
        {
            return new Ended(step, null, IsAttached: true);
        }
    }

    private static PullPlan After(
        PullPlan plan, PullStep step, ExtractedSnapshot? extracted, bool isAttached, Dictionary<int, ExtractedSnapshot> detached)
    {
        int position = PositionOf(step);
        if (isAttached)
        {
            return plan.Attached(position);
        }

        if (extracted is null)
        {
            return plan.Unpacked(position);
        }

        detached[position] = extracted;
        return plan.Extracted(position);
    }

    private static int PositionOf(PullStep step) => step switch
    {
        PullStep.Unpack unpack => unpack.Snapshot,
        PullStep.Link link => link.Snapshot,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static Descriptor LayerOf(PullPlan plan, PullStep step) => plan.Blobs[plan.Snapshots[PositionOf(step)].Blob].Blob;

    private static void Tell(TransferProgress progress, string what, Descriptor layer, bool isDone) => progress.Tell(
        new TransferStep(what, ContentLabels.IngestKey(layer)) { Offset = isDone ? layer.Size : 0, Total = layer.Size, Content = layer });

    // A step that has ended: what it extracted without a parent, and whether that is not to be had here.
    private sealed record Ended(PullStep Step, ExtractedSnapshot? Extracted, bool IsAttached);
}
