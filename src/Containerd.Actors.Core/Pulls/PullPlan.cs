// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Core.Pulls;

/// <summary>One image of a pull: what is fetched for it, and what is unpacked where.</summary>
/// <param name="Blobs">What is fetched, most urgent first; the layers of an image base first.</param>
/// <param name="Layers">The layers to unpack, base first, each one of the blobs; empty when nothing is unpacked.</param>
/// <param name="DiffIds">Digests of the layers' uncompressed archives, as many as there are layers.</param>
/// <param name="Snapshotters">Where they are unpacked.</param>
public sealed record PlannedImage(
    ImmutableArray<Descriptor> Blobs, ImmutableArray<Descriptor> Layers, ImmutableArray<Digest> DiffIds, ImmutableArray<string> Snapshotters)
{
    /// <summary>Digest of the manifest that names the blobs; null for a blob that stands for itself.</summary>
    public Digest? Manifest { get; init; }

    /// <summary>The configuration, which keeps the topmost snapshot; null when nothing is unpacked.</summary>
    public Digest? Config { get; init; }

    /// <summary>Name of the topmost snapshot; null when nothing is unpacked.</summary>
    public string? TopChainId => Snapshotters.IsEmpty || DiffIds.IsEmpty ? null : ChainId.Of(DiffIds).ToString();
}

/// <summary>A blob of a plan and where it is: waiting, fetching or stored.</summary>
public sealed record PlannedBlob(Descriptor Blob, LayerStage Stage);

/// <summary>A snapshot of a plan and where it is: waiting, unpacking or done.</summary>
/// <param name="Snapshotter">Whose it is.</param>
/// <param name="ChainId">Its name.</param>
/// <param name="Parent">Position of the snapshot that it lies on; -1 for none.</param>
/// <param name="Blob">Position of the blob that is unpacked.</param>
/// <param name="DiffId">What the blob unpacks to.</param>
/// <param name="Stage">Where it is.</param>
public sealed record PlannedSnapshot(string Snapshotter, string ChainId, int Parent, int Blob, Digest DiffId, LayerStage Stage);

/// <summary>What to begin now.</summary>
public abstract record PullStep
{
    private PullStep()
    {
    }

    /// <summary>Fetch the blob of this position.</summary>
    public sealed record Fetch(int Blob) : PullStep;

    /// <summary>Unpack the snapshot of this position.</summary>
    public sealed record Unpack(int Snapshot) : PullStep;

    /// <summary>Everything is there: name the image.</summary>
    public sealed record Finish : PullStep;
}

/// <summary>The plan of a pull: which blob is fetched and which snapshot unpacked next, and when all is done.</summary>
/// <remarks>
/// Every blob occurs once however many images have it, and so does every snapshot. A blob is fetched when fewer than the bound are on
/// their way; a snapshot is unpacked when its blob is stored and its parent is there. <see cref="Next"/> hands out each step once.
/// </remarks>
public sealed record PullPlan
{
    private PullPlan(int fetchesMax) => FetchesMax = fetchesMax;

    /// <summary>Blobs fetched at a time.</summary>
    public int FetchesMax { get; }

    /// <summary>What is fetched, first to last.</summary>
    public ImmutableArray<PlannedBlob> Blobs { get; private init; } = [];

    /// <summary>What is unpacked; parents before children.</summary>
    public ImmutableArray<PlannedSnapshot> Snapshots { get; private init; } = [];

    /// <summary>True when the last step was handed out.</summary>
    public bool IsFinished { get; private init; }

    /// <summary>True when every blob is stored.</summary>
    public bool IsFetched => Blobs.All(blob => blob.Stage == LayerStage.Stored);

    private bool IsComplete => IsFetched && Snapshots.All(snapshot => snapshot.Stage == LayerStage.Done);

    /// <summary>The plan for these images, of which nothing is there yet.</summary>
    public static PullPlan Of(IEnumerable<PlannedImage> images, int fetchesMax)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(fetchesMax, 1);
        List<PlannedBlob> blobs = [];
        Dictionary<Digest, int> blobOf = [];
        List<PlannedSnapshot> snapshots = [];
        Dictionary<(string, string), int> snapshotOf = [];
        foreach (PlannedImage image in images)
        {
            foreach (Descriptor blob in image.Blobs)
            {
                if (blobOf.TryAdd(blob.Digest, blobs.Count))
                {
                    blobs.Add(new PlannedBlob(blob, LayerStage.Waiting));
                }
            }

            foreach (string snapshotter in image.Snapshotters)
            {
                int parent = -1;
                int layer = 0;
                foreach (Digest chainId in ChainId.Each(image.DiffIds))
                {
                    string name = chainId.ToString();
                    if (!snapshotOf.TryGetValue((snapshotter, name), out int position))
                    {
                        position = snapshots.Count;
                        snapshotOf.Add((snapshotter, name), position);
                        snapshots.Add(new PlannedSnapshot(
                            snapshotter, name, parent, blobOf[image.Layers[layer].Digest], image.DiffIds[layer], LayerStage.Waiting));
                    }

                    parent = position;
                    layer++;
                }
            }
        }

        return new PullPlan(fetchesMax) { Blobs = [.. blobs], Snapshots = [.. snapshots] };
    }

    /// <summary>What to begin now, and the plan in which it has begun.</summary>
    public (PullPlan Plan, ImmutableArray<PullStep> Steps) Next()
    {
        ImmutableArray<PullStep>.Builder steps = ImmutableArray.CreateBuilder<PullStep>();
        ImmutableArray<PlannedBlob>.Builder blobs = Blobs.ToBuilder();
        int busy = Blobs.Count(blob => blob.Stage == LayerStage.Fetching);
        for (int i = 0; i < blobs.Count && busy < FetchesMax; i++)
        {
            if (blobs[i].Stage == LayerStage.Waiting)
            {
                blobs[i] = blobs[i] with { Stage = LayerStage.Fetching };
                steps.Add(new PullStep.Fetch(i));
                busy++;
            }
        }

        ImmutableArray<PlannedSnapshot>.Builder snapshots = Snapshots.ToBuilder();
        for (int i = 0; i < snapshots.Count; i++)
        {
            if (CanUnpack(Snapshots[i]))
            {
                snapshots[i] = snapshots[i] with { Stage = LayerStage.Unpacking };
                steps.Add(new PullStep.Unpack(i));
            }
        }

        bool finishes = IsComplete && !IsFinished;
        if (finishes)
        {
            steps.Add(new PullStep.Finish());
        }

        PullPlan plan = this with { Blobs = blobs.ToImmutable(), Snapshots = snapshots.ToImmutable(), IsFinished = IsFinished || finishes };
        return (plan, steps.ToImmutable());
    }

    /// <summary>The blob of this position is verified and on disk.</summary>
    public PullPlan Stored(int blob) => this with { Blobs = Blobs.SetItem(blob, Blobs[blob] with { Stage = LayerStage.Stored }) };

    /// <summary>The snapshot of this position is committed.</summary>
    public PullPlan Unpacked(int snapshot) =>
        this with { Snapshots = Snapshots.SetItem(snapshot, Snapshots[snapshot] with { Stage = LayerStage.Done }) };

    /// <summary>Where a blob is, its snapshots counted: one that has none is done when it is stored.</summary>
    public LayerStage StageOf(int blob)
    {
        if (Blobs[blob].Stage != LayerStage.Stored)
        {
            return Blobs[blob].Stage;
        }

        LayerStage[] stages = [.. Snapshots.Where(snapshot => snapshot.Blob == blob).Select(snapshot => snapshot.Stage)];
        return stages.All(stage => stage == LayerStage.Done) ? LayerStage.Done
            : stages.Contains(LayerStage.Unpacking) ? LayerStage.Unpacking
            : LayerStage.Stored;
    }

    private bool CanUnpack(PlannedSnapshot snapshot) => snapshot.Stage == LayerStage.Waiting
        && Blobs[snapshot.Blob].Stage == LayerStage.Stored
        && (snapshot.Parent < 0 || Snapshots[snapshot.Parent].Stage == LayerStage.Done);
}
