// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Fetching;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Stores bytes of a pull: layers as they come, documents at once.</summary>
/// <param name="tree">Asks the tree.</param>
/// <param name="source">Where bytes come from.</param>
/// <param name="ns">Namespace that will see them.</param>
/// <param name="opener">
/// On whose behalf uploads are opened: under the caller's lease if there is one, but not under that of the pull, with which they would
/// go. An upload that a pull leaves stays for as long as the content store keeps what nobody leases, and the next pull goes on from it.
/// </param>
/// <param name="reference">What is pulled: its repository is noted on every blob.</param>
/// <param name="settings">Bounds.</param>
/// <param name="time">The clock.</param>
internal sealed class UploadStep(
    TreeAsk tree, IImageSource source, string ns, Caller opener, ImageReference reference, PullSettings settings, TimeProvider time)
{
    /// <summary>Stores a blob, going on where an earlier attempt ended.</summary>
    /// <returns>True when it was there before.</returns>
    public async Task<bool> FetchAsync(Descriptor blob, Caller by, Action<long> progress, CancellationToken cancellationToken)
    {
        string key = ContentLabels.IngestKey(blob);
        if (await OpenAsync(key, blob, by, cancellationToken).ConfigureAwait(false) is not { } state)
        {
            await NoteSourceAsync(blob.Digest, by).ConfigureAwait(false);
            return true;
        }

        bool wasThere = state.Offset == blob.Size && blob.Size > 0;
        try
        {
            progress(state.Offset);
            long offset = state.Offset;
            if (offset > blob.Size)
            {
                // More than the blob has: these bytes lead nowhere. The first write begins anew.
                offset = 0;
            }

            if (offset < blob.Size)
            {
                await CopyAsync(key, blob, offset, progress, cancellationToken).ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
            await CommitAsync(key, blob, Protocol.Values.Labels.None, by).ConfigureAwait(false);
            return wasThere;
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.FailedPrecondition)
        {
            // The bytes are not what the manifest promised: resuming from them would fail for ever.
            await CloseAsync(key, abort: true).ConfigureAwait(false);
            throw;
        }
        finally
        {
            await CloseAsync(key, abort: false).ConfigureAwait(false);
        }
    }

    /// <summary>Stores a document whose bytes are verified, or gives the one that is stored the labels it lacks.</summary>
    public async Task StoreAsync(
        Descriptor document, ReadOnlyMemory<byte> bytes, ImmutableSortedDictionary<string, string> labels, Caller by, CancellationToken cancellationToken)
    {
        string key = ContentLabels.IngestKey(document);
        if (await OpenAsync(key, document, by, cancellationToken).ConfigureAwait(false) is null)
        {
            await LabelAsync(document.Digest, labels, by).ConfigureAwait(false);
            await NoteSourceAsync(document.Digest, by).ConfigureAwait(false);
            return;
        }

        try
        {
            await tree.FinishAsync(new IngestCommands.Write(ns, key, 0, bytes)).ConfigureAwait(false);
            await CommitAsync(key, document, labels, by).ConfigureAwait(false);
        }
        finally
        {
            await CloseAsync(key, abort: true).ConfigureAwait(false);
        }
    }

    /// <summary>The bytes of a document that the namespace sees already, which the lease keeps from now on; null when it does not see it.</summary>
    public async Task<ReadOnlyMemory<byte>?> FindAsync(Descriptor document, Caller by, CancellationToken cancellationToken)
    {
        try
        {
            await tree.AskAsync(new ContentCommands.Attach(ns, document.Digest, by), cancellationToken).ConfigureAwait(false);
            return await tree.AskAsync(new DocumentQueries.Read(document.Digest, settings.DocumentBytesMax), cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            return null;
        }
    }

    /// <summary>Sets labels and leaves others as they are.</summary>
    public async Task LabelAsync(Digest digest, ImmutableSortedDictionary<string, string> labels, Caller by)
    {
        ContentRecord stored = await tree.FinishAsync(new ContentCommands.Attach(ns, digest, by)).ConfigureAwait(false);
        string[] changed = [.. labels.Where(label => stored.Labels.GetValueOrDefault(label.Key) != label.Value).Select(label => label.Key)];
        if (changed.Length > 0)
        {
            await tree.FinishAsync(new ContentCommands.Update(ns, digest, labels, [.. changed.Select(name => $"labels.{name}")], by)).ConfigureAwait(false);
        }
    }

    /// <summary>Notes that the blob comes from this repository too.</summary>
    public Task NoteSourceAsync(Digest digest, Caller by) =>
        tree.FinishAsync(new ContentCommands.AddSource(ns, digest, reference.Host, reference.Repository, by));

    private async Task CommitAsync(string key, Descriptor blob, ImmutableSortedDictionary<string, string> labels, Caller by)
    {
        ImmutableSortedDictionary<string, string> all = ContentLabels.WithSource(reference.Host, null, reference.Repository) is { } source
            ? labels.SetItem(ContentLabels.DistributionSource + reference.Host, source)
            : labels;
        try
        {
            await tree.FinishAsync(new IngestCommands.Commit(ns, key, blob.Size, blob.Digest, all, by)).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            // Somebody else stored the same blob meanwhile; the lease keeps it all the same.
            await LabelAsync(blob.Digest, labels, by).ConfigureAwait(false);
            await NoteSourceAsync(blob.Digest, by).ConfigureAwait(false);
        }
    }

    // Null when the blob is visible. Another client may be writing it; its end is waited for, and then the blob is there. The answer is
    // waited for also when the pull is given up meanwhile: an upload that was opened and that nobody closes would stay locked.
    private async Task<IngestState?> OpenAsync(string key, Descriptor descriptor, Caller by, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                IngestState state = await tree.FinishAsync(new IngestCommands.Open(ns, key, descriptor.Size, descriptor.Digest, opener)).ConfigureAwait(false);
                if (!cancellationToken.IsCancellationRequested)
                {
                    return state;
                }

                await CloseAsync(key, abort: false).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
            {
                if (await AttachAsync(descriptor.Digest, by).ConfigureAwait(false))
                {
                    return null;
                }
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.Unavailable)
            {
                await Task.Delay(settings.LockedRetry, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // False when it was collected before the lease could keep it: then it is fetched.
    private async Task<bool> AttachAsync(Digest digest, Caller by)
    {
        try
        {
            await tree.FinishAsync(new ContentCommands.Attach(ns, digest, by)).ConfigureAwait(false);
            return true;
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound && refused.Error.Message.StartsWith("content", StringComparison.Ordinal))
        {
            return false;
        }
    }

    private Task CloseAsync(string key, bool abort) => tree.TryAsync(new IngestCommands.Close(ns, key, abort));

    // While a lane writes and hashes one piece, the next comes in. Buffers are given back only when every answer has come: after a wait that
    // was given up a lane may still read them.
    private async Task CopyAsync(string key, Descriptor layer, long offset, Action<long> progress, CancellationToken cancellationToken)
    {
        IBlobPieces blob = await source.OpenBlobAsync(layer, offset, cancellationToken).ConfigureAwait(false);
        await using (blob.ConfigureAwait(false))
        {
            BlobPiece? writing = null;
            Task written = Task.CompletedTask;
            while (true)
            {
                BlobPiece? next;
                try
                {
                    next = await blob.NextAsync(cancellationToken).ConfigureAwait(false);
                }
                catch
                {
                    await Task.WhenAny(written).ConfigureAwait(false);
                    throw;
                }

                await written.ConfigureAwait(false);
                writing?.Dispose();
                progress(offset);
                if (next is null)
                {
                    return;
                }

                written = tree.AskAsync(new IngestCommands.Write(ns, key, offset, next.Bytes), cancellationToken);
                offset += next.Bytes.Length;
                writing = next;
            }
        }
    }
}
