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
public sealed record PlannedBlob(Descriptor Blob, LayerStage Stage)
{
    /// <summary>True when its first bytes are there and the others are coming.</summary>
    public bool IsArriving { get; init; }
}

/// <summary>Where a snapshot of a plan is.</summary>
public enum SnapshotStage
{
    /// <summary>Its layer is not stored, or it is not its turn.</summary>
    Waiting,

    /// <summary>Its layer is being extracted.</summary>
    Unpacking,

    /// <summary>It is extracted and not committed: its parent is not there yet, or its layer is not stored.</summary>
    Extracted,

    /// <summary>It is committed on its parent.</summary>
    Linking,

    /// <summary>It is committed.</summary>
    Done,
}

/// <summary>A snapshot of a plan and where it is.</summary>
/// <param name="Snapshotter">Whose it is.</param>
/// <param name="ChainId">Its name.</param>
/// <param name="Parent">Position of the snapshot that it lies on; -1 for none.</param>
/// <param name="Blob">Position of the blob that is unpacked.</param>
/// <param name="DiffId">What the blob unpacks to.</param>
/// <param name="Stage">Where it is.</param>
public sealed record PlannedSnapshot(string Snapshotter, string ChainId, int Parent, int Blob, Digest DiffId, SnapshotStage Stage);

/// <summary>What to begin now.</summary>
public abstract record PullStep
{
    private PullStep()
    {
    }

    /// <summary>Fetch the blob of this position.</summary>
    public sealed record Fetch(int Blob) : PullStep;

    /// <summary>Unpack the snapshot of this position onto its parent, or without it.</summary>
    /// <param name="Snapshot">Its position.</param>
    /// <param name="IsDetached">True when its parent is not there yet: it gets it by a <see cref="Link"/>.</param>
    /// <param name="IsArriving">True when its blob still comes: it is committed by a <see cref="Link"/>, when the blob is stored.</param>
    public sealed record Unpack(int Snapshot, bool IsDetached, bool IsArriving = false) : PullStep;

    /// <summary>Commit the extracted snapshot of this position on its parent.</summary>
    public sealed record Link(int Snapshot) : PullStep;

    /// <summary>Everything is there: name the image.</summary>
    public sealed record Finish : PullStep;
}

/// <summary>The plan of a pull: which blob is fetched and which snapshot unpacked next, and when all is done.</summary>
/// <remarks>
/// Every blob occurs once however many images have it, and so does every snapshot. A blob is fetched when fewer than the bound are on
/// their way. A snapshot is unpacked when its blob is stored and fewer than the bound are being unpacked; where its snapshotter can give a
/// snapshot its parent at the end, it does not wait for the parent, and is committed when the parent is:
/// <code>
/// waiting --Unpack--> unpacking -----------------------------------> done
///                              \--(detached)--> extracted --Link--> linking --> done
/// </code>
/// So parents are committed before their children, whatever is extracted first. <see cref="Next"/> hands out each step once.
/// <para>
/// A snapshot may also be extracted while its blob comes. That is an attempt, with a bound of its own so that a slow network holds up no
/// stored blob: it is committed by a Link when the blob is stored, and unpacked anew from the stored blob when it did not succeed.
/// </para>
/// </remarks>
public sealed record PullPlan
{
    // A blob with less is there with its first bytes.
    private const long ArrivalBytesMin = 1 << 20;

    // Snapshots whose extraction from an arriving blob ended without success.
    private ImmutableHashSet<int> _missed = [];

    // Snapshotters that were found unable to give a snapshot its parent later.
    private ImmutableHashSet<string> _attached = [];

    private PullPlan(int fetchesMax, int unpacksMax, int arrivalsMax) => (FetchesMax, UnpacksMax, ArrivalsMax) = (fetchesMax, unpacksMax, arrivalsMax);

    /// <summary>Blobs fetched at a time.</summary>
    public int FetchesMax { get; }

    /// <summary>Snapshots unpacked at a time from stored blobs; with 1 each waits for its parent.</summary>
    public int UnpacksMax { get; }

    /// <summary>Snapshots unpacked at a time from blobs that still come.</summary>
    public int ArrivalsMax { get; }

    /// <summary>What is fetched, first to last.</summary>
    public ImmutableArray<PlannedBlob> Blobs { get; private init; } = [];

    /// <summary>What is unpacked; parents before children.</summary>
    public ImmutableArray<PlannedSnapshot> Snapshots { get; private init; } = [];

    /// <summary>True when the last step was handed out.</summary>
    public bool IsFinished { get; private init; }

    /// <summary>True when every blob is stored.</summary>
    public bool IsFetched => Blobs.All(blob => blob.Stage == LayerStage.Stored);

    private bool IsComplete => IsFetched && Snapshots.All(snapshot => snapshot.Stage == SnapshotStage.Done);

    /// <summary>The plan for these images, of which nothing is there yet.</summary>
    public static PullPlan Of(IEnumerable<PlannedImage> images, int fetchesMax, int unpacksMax, int arrivalsMax = 0)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(fetchesMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(unpacksMax, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(arrivalsMax);
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
                            snapshotter, name, parent, blobOf[image.Layers[layer].Digest], image.DiffIds[layer], SnapshotStage.Waiting));
                    }

                    parent = position;
                    layer++;
                }
            }
        }

        return new PullPlan(fetchesMax, unpacksMax, arrivalsMax) { Blobs = [.. blobs], Snapshots = [.. snapshots] };
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
        int unpacking = Snapshots.Count(snapshot => snapshot.Stage == SnapshotStage.Unpacking && IsStored(snapshot));
        int arriving = Snapshots.Count(snapshot => snapshot.Stage == SnapshotStage.Unpacking && !IsStored(snapshot));
        for (int i = 0; i < snapshots.Count; i++)
        {
            if (Snapshots[i].Stage == SnapshotStage.Extracted && HasParent(Snapshots[i]) && IsStored(Snapshots[i]))
            {
                snapshots[i] = snapshots[i] with { Stage = SnapshotStage.Linking };
                steps.Add(new PullStep.Link(i));
            }
            else if (unpacking < UnpacksMax && IsStored(Snapshots[i]) && CanUnpack(Snapshots[i]))
            {
                snapshots[i] = snapshots[i] with { Stage = SnapshotStage.Unpacking };
                steps.Add(new PullStep.Unpack(i, !HasParent(Snapshots[i])));
                unpacking++;
            }
            else if (arriving < ArrivalsMax && Blobs[Snapshots[i].Blob].IsArriving && !_missed.Contains(i) && CanUnpack(Snapshots[i]))
            {
                snapshots[i] = snapshots[i] with { Stage = SnapshotStage.Unpacking };
                steps.Add(new PullStep.Unpack(i, !HasParent(Snapshots[i]), IsArriving: true));
                arriving++;
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

    /// <summary>The first bytes of the blob of this position are there; one that is there with them is not worth a step.</summary>
    public PullPlan Arriving(int blob) => Blobs[blob] is { Stage: LayerStage.Fetching, IsArriving: false, Blob.Size: >= ArrivalBytesMin } coming
        ? this with { Blobs = Blobs.SetItem(blob, coming with { IsArriving = true }) }
        : this;

    /// <summary>The blob of this position is verified and on disk.</summary>
    public PullPlan Stored(int blob) =>
        this with { Blobs = Blobs.SetItem(blob, Blobs[blob] with { Stage = LayerStage.Stored, IsArriving = false }) };

    /// <summary>The snapshot of this position is committed.</summary>
    public PullPlan Unpacked(int snapshot) => With(snapshot, SnapshotStage.Done);

    /// <summary>The snapshot of this position is extracted and not committed.</summary>
    public PullPlan Extracted(int snapshot) => With(snapshot, SnapshotStage.Extracted);

    /// <summary>The snapshot of this position could not be extracted while its blob came: it is unpacked when that is stored.</summary>
    public PullPlan Missed(int snapshot) => With(snapshot, SnapshotStage.Waiting) with { _missed = _missed.Add(snapshot) };

    /// <summary>The snapshotter of this position cannot give a parent later: its snapshots wait for their parents from now on.</summary>
    public PullPlan Attached(int snapshot) =>
        With(snapshot, SnapshotStage.Waiting) with { _attached = _attached.Add(Snapshots[snapshot].Snapshotter) };

    /// <summary>Where a blob is, its snapshots counted: one that has none is done when it is stored.</summary>
    public LayerStage StageOf(int blob)
    {
        if (Blobs[blob].Stage != LayerStage.Stored)
        {
            return Blobs[blob].Stage;
        }

        SnapshotStage[] stages = [.. Snapshots.Where(snapshot => snapshot.Blob == blob).Select(snapshot => snapshot.Stage)];
        return stages.All(stage => stage == SnapshotStage.Done) ? LayerStage.Done
            : stages.Any(stage => stage is SnapshotStage.Unpacking or SnapshotStage.Extracted or SnapshotStage.Linking) ? LayerStage.Unpacking
            : LayerStage.Stored;
    }

    private PullPlan With(int snapshot, SnapshotStage stage) =>
        this with { Snapshots = Snapshots.SetItem(snapshot, Snapshots[snapshot] with { Stage = stage }) };

    private bool IsStored(PlannedSnapshot snapshot) => Blobs[snapshot.Blob].Stage == LayerStage.Stored;

    private bool CanUnpack(PlannedSnapshot snapshot) => snapshot.Stage == SnapshotStage.Waiting
        && (HasParent(snapshot) || (UnpacksMax > 1 && !_attached.Contains(snapshot.Snapshotter)));

    private bool HasParent(PlannedSnapshot snapshot) => snapshot.Parent < 0 || Snapshots[snapshot.Parent].Stage == SnapshotStage.Done;
}
