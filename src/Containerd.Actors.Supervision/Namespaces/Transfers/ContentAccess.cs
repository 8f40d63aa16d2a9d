// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>Fills a buffer from wherever bytes come; answers how many, and 0 at the end.</summary>
internal delegate ValueTask<int> ByteSource(Memory<byte> buffer, CancellationToken cancellationToken);

/// <summary>The content of a namespace as a transfer reads and stores it.</summary>
/// <param name="tree">Asks the tree.</param>
/// <param name="reader">Reads what is stored.</param>
/// <param name="ns">The namespace.</param>
/// <param name="by">On whose behalf, under which lease.</param>
/// <param name="settings">Bounds.</param>
/// <param name="time">The clock.</param>
internal sealed class ContentAccess(TreeAsk tree, IContentReader reader, string ns, Caller by, PullSettings settings, TimeProvider time)
{
    private const int WriteBytes = 1 << 20;

    /// <summary>What the namespace holds now.</summary>
    public Task<NamespaceState> StateAsync(CancellationToken cancellationToken) => tree.AskAsync(new NamespaceQueries.GetState(ns), cancellationToken);

    /// <summary>The bytes of a document that the namespace sees.</summary>
    /// <exception cref="RefusedException">It does not see it, or it is too long.</exception>
    public async Task<byte[]> ReadAsync(Digest digest, CancellationToken cancellationToken)
    {
        ContentRecord content = (await StateAsync(cancellationToken).ConfigureAwait(false)).Content(digest).Value;
        if (content.Size > settings.DocumentBytesMax)
        {
            throw new RefusedException(new Error(
                ErrorKind.ResourceExhausted, $"document {digest}: {content.Size} bytes are more than {PullSettings.Path}.document-bytes-max"));
        }

        var bytes = new byte[content.Size];
        Stream blob = reader.OpenRead(digest, 0);
        await using (blob.ConfigureAwait(false))
        {
            await blob.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return bytes;
        }
    }

    /// <summary>Opens a blob; that the namespace sees it was found out before.</summary>
    public Stream OpenRead(Digest digest, long offset = 0) => reader.OpenRead(digest, offset);

    /// <summary>Stores a document, or gives the one that is stored the labels it lacks.</summary>
    public async Task StoreAsync(
        Descriptor document, ReadOnlyMemory<byte> bytes, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        int offset = 0;
        await StoreAsync(ContentLabels.IngestKey(document), document.Size, document.Digest, labels, Take, cancellationToken).ConfigureAwait(false);
        await LabelAsync(document.Digest, labels, cancellationToken).ConfigureAwait(false);

        ValueTask<int> Take(Memory<byte> buffer, CancellationToken token)
        {
            int count = Math.Min(buffer.Length, bytes.Length - offset);
            bytes.Slice(offset, count).CopyTo(buffer);
            offset += count;
            return ValueTask.FromResult(count);
        }
    }

    /// <summary>Stores bytes of unknown origin under their digest; what is there already is not stored again.</summary>
    /// <param name="key">Name of the upload.</param>
    /// <param name="size">Bytes that will come; 0 for unknown.</param>
    /// <param name="expected">The digest that they must have; null for any.</param>
    /// <param name="labels">Labels of new content.</param>
    /// <param name="source">The bytes.</param>
    /// <param name="cancellationToken">Gives up; nothing is left then.</param>
    /// <returns>Digest and size of what was stored.</returns>
    public async Task<CommittedContent> StoreAsync(
        string key, long size, Digest? expected, IReadOnlyDictionary<string, string> labels, ByteSource source, CancellationToken cancellationToken)
    {
        try
        {
            await OpenAsync(key, size, expected, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists && expected is not null)
        {
            return new CommittedContent(expected.Value, size);
        }

        bool isStored = false;
        try
        {
            CommittedContent stored = await CopyAsync(key, expected, labels, source, cancellationToken).ConfigureAwait(false);
            isStored = true;
            return stored;
        }
        finally
        {
            // Waited for: whoever is told how it ended finds the reference free, and nothing left of what was given up.
            await tree.TryAsync(new IngestCommands.Close(ns, key, Abort: !isStored)).ConfigureAwait(false);
        }
    }

    /// <summary>Sets labels and leaves others as they are.</summary>
    public async Task LabelAsync(Digest digest, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        ContentRecord stored = await tree.AskAsync(new ContentCommands.Attach(ns, digest, by), cancellationToken).ConfigureAwait(false);
        ImmutableArray<string> mask =
            [.. labels.Where(label => stored.Labels.GetValueOrDefault(label.Key) != label.Value).Select(label => $"labels.{label.Key}")];
        if (!mask.IsEmpty)
        {
            await tree.FinishAsync(new ContentCommands.Update(ns, digest, Protocol.Values.Labels.From(labels), mask, by)).ConfigureAwait(false);
        }
    }

    private async Task<CommittedContent> CopyAsync(
        string key, Digest? expected, IReadOnlyDictionary<string, string> labels, ByteSource source, CancellationToken cancellationToken)
    {
        using System.Security.Cryptography.IncrementalHash hash = Digest.CreateHash(expected?.Algorithm ?? "sha256");
        byte[] buffer = GC.AllocateUninitializedArray<byte>(WriteBytes);
        long offset = 0;
        while (true)
        {
            int filled = 0;
            for (int count; filled < buffer.Length && (count = await source(buffer.AsMemory(filled), cancellationToken).ConfigureAwait(false)) > 0;)
            {
                filled += count;
            }

            if (filled == 0 && offset > 0)
            {
                break;
            }

            // The first write at 0 begins anew, whatever an earlier attempt left. The lane has read the buffer when the answer comes.
            hash.AppendData(buffer, 0, filled);
            await tree.FinishAsync(new IngestCommands.Write(ns, key, offset, buffer.AsMemory(0, filled))).ConfigureAwait(false);
            offset += filled;
            if (filled < buffer.Length)
            {
                break;
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        var digest = Digest.FromHash(expected?.Algorithm ?? "sha256", hash.GetHashAndReset());
        try
        {
            return await tree.FinishAsync(
                new IngestCommands.Commit(ns, key, offset, expected ?? digest, Protocol.Values.Labels.From(labels), by)).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            // Stored before under another name, or by somebody else meanwhile; the lease keeps it all the same.
            return new CommittedContent(digest, offset);
        }
    }

    // Another client may have the upload open; its end is waited for.
    private async Task OpenAsync(string key, long size, Digest? expected, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                await tree.FinishAsync(new IngestCommands.Open(ns, key, size, expected ?? default, by)).ConfigureAwait(false);
                return;
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.Unavailable)
            {
                await Task.Delay(settings.LockedRetry, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
