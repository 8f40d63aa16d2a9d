// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Security.Cryptography;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Sets labels of content and leaves its others as they are.</summary>
internal delegate Task LabelContent(Digest digest, ImmutableSortedDictionary<string, string> labels, Caller by);

/// <summary>A layer in an active snapshot that is not committed.</summary>
/// <param name="Key">Key of the active snapshot.</param>
/// <param name="IsDetached">True when it gets its parent as it is committed.</param>
/// <param name="Inherited">Directories that are to be as those of that parent.</param>
internal sealed record ExtractedSnapshot(string Key, bool IsDetached, ImmutableArray<string> Inherited);

/// <summary>How a layer is extracted apart from being committed.</summary>
/// <param name="Parent">Name of the snapshot it lies on; null when that may not be there yet.</param>
/// <param name="Upload">The upload that brings it; null when it is stored.</param>
internal sealed record Extraction(string? Parent, ArrivingUpload? Upload);

/// <summary>Extracts layers into snapshots, onto their parents or before those are there, stored or while they come.</summary>
/// <remarks>
/// <code>
/// Unpack:  Prepare on parent -> Apply ---> diff id -> Commit -> label
/// Extract: Prepare detached --> Extract -> diff id            (any number at once)
/// Link:                                               Commit on parent -> label     (in the order of the chain)
/// </code>
/// An extraction from an upload is answered when that is committed, and so verified; only then a Link follows.
/// Whatever is refused or given up removes the active snapshot that it made; a daemon that is killed leaves it to its lease.
/// </remarks>
internal sealed class UnpackStep(TreeAsk tree, LabelContent label, string ns, TimeProvider time)
{
    private const string RootfsReference = "containerd.io/snapshot.ref";
    private const string KeyCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// <summary>Extracts a layer onto its parent and commits it under its chain id; a snapshot that is there already is taken.</summary>
    public async Task UnpackAsync(Descriptor layer, PlannedSnapshot snapshot, string parent, Caller by, CancellationToken cancellationToken)
    {
        string key = KeyOf(snapshot);
        if (await PrepareAsync(snapshot, key, parent, isDetached: false, by).ConfigureAwait(false) is not { } mounts)
        {
            return;
        }

        await OrRemoveAsync(snapshot, key, by, async () =>
        {
            // A lane cannot be called back: what it writes is removed when it has ended, also when the pull was given up.
            cancellationToken.ThrowIfCancellationRequested();
            Descriptor applied = await tree.FinishAsync(new DiffCommands.Apply(ns, layer, mounts, Synchronize: false, by)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            Verify(applied, snapshot);
        }).ConfigureAwait(false);
        await CommitAsync(layer, snapshot, new ExtractedSnapshot(key, IsDetached: false, []), "", by).ConfigureAwait(false);
    }

    /// <summary>Extracts a layer and leaves the rest to a link; null when its snapshot is there already.</summary>
    /// <exception cref="RefusedException">Not implemented, where it has no parent: here snapshots need theirs from the start.</exception>
    public async Task<ExtractedSnapshot?> ExtractAsync(
        Descriptor layer, PlannedSnapshot snapshot, Extraction how, Caller by, CancellationToken cancellationToken)
    {
        string key = KeyOf(snapshot);
        bool isDetached = how.Parent is null;
        if (await PrepareAsync(snapshot, key, how.Parent ?? "", isDetached, by).ConfigureAwait(false) is not { } mounts)
        {
            return null;
        }

        ImmutableArray<string> inherited = [];
        await OrRemoveAsync(snapshot, key, by, async () =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            ExtractedLayer extracted = await tree.FinishAsync(new DiffCommands.Extract(ns, layer, mounts, by) { Upload = how.Upload })
                .ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            Verify(extracted.Uncompressed, snapshot);
            inherited = isDetached ? extracted.Inherited : [];
        }).ConfigureAwait(false);
        return new ExtractedSnapshot(key, isDetached, inherited);
    }

    /// <summary>Commits an extracted snapshot, on its parent if it has none yet.</summary>
    public Task LinkAsync(Descriptor layer, PlannedSnapshot snapshot, ExtractedSnapshot extracted, string parent, Caller by) =>
        CommitAsync(layer, snapshot, extracted, extracted.IsDetached ? parent : "", by);

    /// <summary>Removes an extracted snapshot that will not be linked. Never fails, for its lease ends.</summary>
    public Task DropAsync(PlannedSnapshot snapshot, ExtractedSnapshot extracted, Caller by) => RemoveAsync(snapshot.Snapshotter, extracted.Key, by);

    // containerd's form: the nanoseconds of the second, four characters, the chain id.
    private string KeyOf(PlannedSnapshot snapshot) =>
        $"extract-{time.GetUtcNow().Ticks % 1_000_000_000:D9}-{RandomNumberGenerator.GetString(KeyCharacters, 4)} {snapshot.ChainId}";

    // Null when what the layer unpacks to is there already.
    private async Task<ImmutableArray<Mount>?> PrepareAsync(PlannedSnapshot snapshot, string key, string parent, bool isDetached, Caller by)
    {
        try
        {
            return await tree.FinishAsync(new SnapshotterCommands.Prepare(
                ns,
                snapshot.Snapshotter,
                SnapshotKind.Active,
                key,
                parent,
                Protocol.Values.Labels.None.Add(RootfsReference, snapshot.ChainId),
                by) { IsDetached = isDetached }).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            return null;
        }
    }

    private async Task CommitAsync(Descriptor layer, PlannedSnapshot snapshot, ExtractedSnapshot active, string parent, Caller by)
    {
        try
        {
            await tree.FinishAsync(new SnapshotterCommands.Commit(
                ns, snapshot.Snapshotter, snapshot.ChainId, active.Key, Protocol.Values.Labels.None, parent, by) { Inherited = active.Inherited })
                .ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            // Somebody else unpacked the same meanwhile.
            await RemoveAsync(snapshot.Snapshotter, active.Key, by).ConfigureAwait(false);
        }
        catch
        {
            await RemoveAsync(snapshot.Snapshotter, active.Key, by).ConfigureAwait(false);
            throw;
        }

        await label(layer.Digest, Protocol.Values.Labels.None.Add(ContentLabels.Uncompressed, snapshot.DiffId.ToString()), by).ConfigureAwait(false);
    }

    private async Task OrRemoveAsync(PlannedSnapshot snapshot, string key, Caller by, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch
        {
            await RemoveAsync(snapshot.Snapshotter, key, by).ConfigureAwait(false);
            throw;
        }
    }

    private static void Verify(Descriptor applied, PlannedSnapshot snapshot)
    {
        if (applied.Digest != snapshot.DiffId)
        {
            throw new RefusedException(Error.FailedPrecondition($"wrong diff id {applied.Digest} calculated on extraction, expected {snapshot.DiffId}"));
        }
    }

    private Task RemoveAsync(string snapshotter, string key, Caller by) => tree.TryAsync(new SnapshotCommands.Remove(ns, snapshotter, key, by));
}
