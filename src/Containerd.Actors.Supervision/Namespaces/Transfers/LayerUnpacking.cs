// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Security.Cryptography;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>Unpacks an image whose layers are stored, lowest first; snapshots that are there are taken.</summary>
internal sealed class LayerUnpacking(TreeAsk tree, ContentAccess content, string ns, Caller by, TimeProvider time)
{
    private const string RootfsReference = "containerd.io/snapshot.ref";
    private const string KeyCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

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

        IReadOnlyList<Digest> chain = ChainId.Each(diffIds);
        for (int i = 0; i < chain.Count; i++)
        {
            Descriptor layer = manifest.Layers[i];
            string name = ContentLabels.IngestKey(layer);
            progress.Tell(new TransferStep("extracting", name) { Total = layer.Size, Content = layer });
            await LayerAsync(layer, diffIds[i], chain[i], i == 0 ? "" : chain[i - 1].ToString(), snapshotter, cancellationToken).ConfigureAwait(false);
            progress.Tell(new TransferStep("extracted", name) { Offset = layer.Size, Total = layer.Size, Content = layer });
        }

        if (chain.Count > 0)
        {
            await content.LabelAsync(
                config.Digest, Protocol.Values.Labels.None.Add(ContentLabels.SnapshotReference + snapshotter, chain[^1].ToString()), cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private async Task LayerAsync(
        Descriptor layer, Digest diffId, Digest chainId, string parent, string snapshotter, CancellationToken cancellationToken)
    {
        string key = $"extract-{time.GetUtcNow().Ticks % 1_000_000_000:D9}-{RandomNumberGenerator.GetString(KeyCharacters, 4)} {chainId}";
        ImmutableArray<Mount> mounts;
        try
        {
            mounts = await tree.FinishAsync(new SnapshotterCommands.Prepare(
                ns, snapshotter, SnapshotKind.Active, key, parent, Protocol.Values.Labels.None.Add(RootfsReference, chainId.ToString()), by)).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            return;
        }

        try
        {
            // A lane cannot be called back: what it writes is removed when it has ended, also when the import was given up.
            cancellationToken.ThrowIfCancellationRequested();
            Descriptor applied = await tree.FinishAsync(new DiffCommands.Apply(ns, layer, mounts, Synchronize: false, by)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (applied.Digest != diffId)
            {
                throw new RefusedException(Error.FailedPrecondition($"wrong diff id {applied.Digest} calculated on extraction, expected {diffId}"));
            }

            await tree.FinishAsync(new SnapshotterCommands.Commit(ns, snapshotter, chainId.ToString(), key, Protocol.Values.Labels.None, "", by))
                .ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            await RemoveAsync(snapshotter, key).ConfigureAwait(false);
        }
        catch
        {
            await RemoveAsync(snapshotter, key).ConfigureAwait(false);
            throw;
        }

        await content.LabelAsync(layer.Digest, Protocol.Values.Labels.None.Add(ContentLabels.Uncompressed, diffId.ToString()), cancellationToken)
            .ConfigureAwait(false);
    }

    private Task RemoveAsync(string snapshotter, string key) => tree.TryAsync(new SnapshotCommands.Remove(ns, snapshotter, key, by));
}
