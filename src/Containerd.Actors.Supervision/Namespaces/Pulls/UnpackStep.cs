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

/// <summary>Extracts stored layers into snapshots.</summary>
internal sealed class UnpackStep(TreeAsk tree, UploadStep uploads, string ns, TimeProvider time)
{
    private const string RootfsReference = "containerd.io/snapshot.ref";
    private const string KeyCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// <summary>Extracts a layer onto its parent and commits it under its chain id; a snapshot that is there already is taken.</summary>
    public async Task UnpackAsync(Descriptor layer, PlannedSnapshot snapshot, string parent, Caller by, CancellationToken cancellationToken)
    {
        string key = $"extract-{time.GetUtcNow().Ticks % 1_000_000_000:D9}-{RandomNumberGenerator.GetString(KeyCharacters, 4)} {snapshot.ChainId}";
        ImmutableArray<Mount> mounts;
        try
        {
            mounts = await tree.FinishAsync(new SnapshotterCommands.Prepare(
                ns, snapshot.Snapshotter, SnapshotKind.Active, key, parent, Protocol.Values.Labels.None.Add(RootfsReference, snapshot.ChainId), by))
                .ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            return;
        }

        try
        {
            // A lane cannot be called back: what it writes is removed when it has ended, also when the pull was given up.
            cancellationToken.ThrowIfCancellationRequested();
            Descriptor applied = await tree.FinishAsync(new DiffCommands.Apply(ns, layer, mounts, Synchronize: false, by)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (applied.Digest != snapshot.DiffId)
            {
                throw new RefusedException(Error.FailedPrecondition($"wrong diff id {applied.Digest} calculated on extraction, expected {snapshot.DiffId}"));
            }

            await tree.FinishAsync(new SnapshotterCommands.Commit(ns, snapshot.Snapshotter, snapshot.ChainId, key, Protocol.Values.Labels.None, "", by))
                .ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            await RemoveAsync(snapshot.Snapshotter, key, by).ConfigureAwait(false);
        }
        catch
        {
            await RemoveAsync(snapshot.Snapshotter, key, by).ConfigureAwait(false);
            throw;
        }

        await uploads.LabelAsync(layer.Digest, Protocol.Values.Labels.None.Add(ContentLabels.Uncompressed, snapshot.DiffId.ToString()), by)
            .ConfigureAwait(false);
    }

    private Task RemoveAsync(string snapshotter, string key, Caller by) => tree.TryAsync(new SnapshotCommands.Remove(ns, snapshotter, key, by));
}
