// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Effects;

/// <summary>Carries out <see cref="ContentEffects"/> on a content store, and reads its blobs.</summary>
public sealed class ContentEffectRunner(ContentStore store) : IEffectRunner, IContentReader
{
    private const int CopyBytes = 256 << 10;

    /// <inheritdoc />
    public bool Runs(Effect effect) => effect?.GetType().DeclaringType == typeof(ContentEffects);

    /// <inheritdoc />
    public Stream OpenRead(Digest digest, long offset) => store.OpenRead(digest, offset);

    /// <inheritdoc />
    public object? Run(Effect effect, CancellationToken cancellationToken)
    {
        switch (effect)
        {
            case ContentEffects.OpenIngest open:
                return store.OpenIngest(open.Namespace, open.Reference, open.Total, open.Expected, open.IsLeased);
            case ContentEffects.Append append:
                if (append.Anew)
                {
                    append.Ingest.Truncate(0);
                }

                append.Ingest.Write(append.Bytes.Span);
                return null;
            case ContentEffects.Seed seed:
                Seed(seed.Ingest, seed.Blob, cancellationToken);
                return null;
            case ContentEffects.Commit commit:
                return commit.Ingest.Commit(commit.Size, commit.Expected);
            case ContentEffects.Close close:
                Close(close.Ingest, close.Abort);
                return null;
            case ContentEffects.Abort abort:
                store.Abort(abort.Namespace, abort.Reference);
                return null;
            case ContentEffects.ListIngests:
                return store.ListIngests().ToList();
            case ContentEffects.Size size:
                return store.TrySize(size.Blob);
            case ContentEffects.ReadDocument read:
                return ReadDocument(read);
            case ContentEffects.Sweep sweep:
                return Sweep(sweep, cancellationToken);
            default:
                throw new RefusedException(Error.NotImplemented($"effect {effect}"));
        }
    }

    private static void Close(Ingest ingest, bool abort)
    {
        if (abort)
        {
            ingest.Abort();
        }
        else
        {
            ingest.Dispose();
        }
    }

    private void Seed(Ingest ingest, Digest blob, CancellationToken cancellationToken)
    {
        byte[] buffer = ContentBuffers.Rent(CopyBytes);
        try
        {
            ingest.Truncate(0);
            using Stream source = store.OpenRead(blob);
            for (int read; (read = source.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                ingest.Write(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ContentBuffers.Return(buffer);
        }
    }

    private byte[] ReadDocument(ContentEffects.ReadDocument read)
    {
        using Stream blob = store.OpenRead(read.Blob);
        if (blob.Length > read.BytesMax)
        {
            throw new RefusedException(new Error(
                ErrorKind.ResourceExhausted, $"content {read.Blob}: {blob.Length} bytes are more than {read.BytesMax}"));
        }

        byte[] bytes = new byte[blob.Length];
        blob.ReadExactly(bytes);
        return bytes;
    }

    private Swept Sweep(ContentEffects.Sweep sweep, CancellationToken cancellationToken)
    {
        if (sweep.IsDry)
        {
            List<long> condemned = [.. store.List().Where(blob => !sweep.Keep.Contains(blob.Digest)).Select(blob => blob.Size)];
            return new Swept(condemned.Count + sweep.Ingests.Length, condemned.Sum());
        }

        long count = store.Sweep();
        foreach ((string ns, string reference) in sweep.Ingests)
        {
            try
            {
                store.OpenIngest(ns, reference).Abort();
                count++;
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.Unavailable)
            {
                // Somebody has opened it meanwhile, so it is in use.
            }
        }

        long bytes = 0;
        foreach ((Digest blob, long size) in store.List().Where(blob => !sweep.Keep.Contains(blob.Digest)).ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (store.Delete(blob))
            {
                count++;
                bytes += size;
            }
        }

        return new Swept(count, bytes);
    }
}
