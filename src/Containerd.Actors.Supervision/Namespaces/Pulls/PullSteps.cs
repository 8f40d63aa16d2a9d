// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Security.Cryptography;
using Akka.Actor;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Error = Containerd.Actors.Protocol.Errors.Error;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>An image whose documents are stored and whose layers are known.</summary>
/// <param name="Target">What the image will point at: an index or a manifest.</param>
/// <param name="Config">The configuration, which keeps the top snapshot.</param>
/// <param name="Layers">The layers, base first.</param>
/// <param name="DiffIds">Digests of their uncompressed archives.</param>
internal sealed record PreparedImage(Descriptor Target, Descriptor Config, ImmutableArray<Descriptor> Layers, ImmutableArray<Digest> DiffIds)
{
    /// <summary>Names of the snapshots, base first.</summary>
    public ImmutableArray<string> ChainIds { get; } = [.. ChainId.Each(DiffIds).Select(id => id.ToString())];
}

/// <summary>The steps of a pull, each a plain sequence of requests to the tree; the actors say when which is taken.</summary>
/// <param name="tree">The root of the tree.</param>
/// <param name="source">Where bytes come from.</param>
/// <param name="pull">What is pulled.</param>
/// <param name="reference">Its reference.</param>
/// <param name="settings">Bounds.</param>
/// <param name="time">The clock.</param>
internal sealed class PullSteps(
    IActorRef tree, IImageSource source, PullCommands.Pull pull, ImageReference reference, PullSettings settings, TimeProvider time) : IDisposable
{
    private const int WriteBytes = 1 << 20;
    private const string RootfsReference = "containerd.io/snapshot.ref";
    private const string Expire = "containerd.io/gc.expire";

    private Caller _by = pull.By;

    /// <summary>Takes a lease, finds out what the reference stands for, stores index, manifest and configuration.</summary>
    public async Task<PreparedImage> PrepareAsync(CancellationToken cancellationToken)
    {
        string expiry = (time.GetUtcNow() + settings.LeaseDuration).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        LeaseRecord lease = await AskAsync(
            new LeaseCommands.Create(pull.Namespace, "", Protocol.Values.Labels.None.Add(Expire, expiry), pull.By), cancellationToken).ConfigureAwait(false);
        _by = pull.By with { Lease = lease.Id };

        Descriptor target = await source.ResolveAsync(cancellationToken).ConfigureAwait(false);
        byte[] document = await source.FetchManifestAsync(target, cancellationToken).ConfigureAwait(false);
        Descriptor manifest = target;
        if (MediaTypes.IsIndex(target.MediaType))
        {
            manifest = await ChooseAsync(target, document, cancellationToken).ConfigureAwait(false);
            document = await source.FetchManifestAsync(manifest, cancellationToken).ConfigureAwait(false);
        }

        Manifest read = Read(() => ImageDocuments.ReadManifest(document, settings.DocumentBytesMax, manifest.MediaType));
        Descriptor config = read.Config ?? throw new RefusedException(Error.Invalid($"manifest {manifest.Digest} has no configuration"));
        await StoreAsync(manifest, document, ContentLabels.OfChildren(read), cancellationToken).ConfigureAwait(false);
        byte[] configuration = await ReadBlobAsync(config, cancellationToken).ConfigureAwait(false);
        await StoreAsync(config, configuration, Protocol.Values.Labels.None, cancellationToken).ConfigureAwait(false);
        ImageConfig image = Read(() => ImageDocuments.ReadConfig(configuration, settings.DocumentBytesMax));
        if (image.RootFs.DiffIds.Count != read.Layers.Count)
        {
            throw new RefusedException(Error.Invalid($"mismatched image rootfs and manifest layers: {image.RootFs.DiffIds.Count} != {read.Layers.Count}"));
        }

        return new PreparedImage(target, config, [.. read.Layers], [.. image.RootFs.DiffIds]);
    }

    /// <summary>Stores a layer, going on where an earlier attempt ended; content that is there already is taken as it is.</summary>
    public async Task FetchAsync(Descriptor layer, Action<long> progress, CancellationToken cancellationToken)
    {
        string key = ContentLabels.IngestKey(layer);
        IngestState state;
        try
        {
            state = await OpenAsync(key, layer, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            progress(layer.Size);
            return;
        }

        try
        {
            progress(state.Offset);
            if (state.Offset < layer.Size)
            {
                await CopyAsync(key, layer, state.Offset, progress, cancellationToken).ConfigureAwait(false);
            }

            await AskAsync(
                new IngestCommands.Commit(pull.Namespace, key, layer.Size, layer.Digest, Sources(Protocol.Values.Labels.None), _by), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            // Somebody else stored the same blob meanwhile; the lease keeps it all the same.
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.FailedPrecondition)
        {
            // The bytes are not what the manifest promised: resuming from them would fail for ever.
            tree.Tell(new IngestCommands.Close(pull.Namespace, key, Abort: true));
            throw;
        }
        finally
        {
            tree.Tell(new IngestCommands.Close(pull.Namespace, key, Abort: false));
        }
    }

    /// <summary>Extracts a stored layer onto its parent and commits it under its chain id; a snapshot that is there already is taken.</summary>
    public async Task UnpackAsync(Descriptor layer, Digest diffId, string parent, string chainId, CancellationToken cancellationToken)
    {
        string key = $"extract-{time.GetUtcNow().Ticks % 1_000_000_000:D9}-{RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 4)} {chainId}";
        ImmutableArray<Mount> mounts;
        try
        {
            mounts = await AskAsync(
                new SnapshotterCommands.Prepare(
                    pull.Namespace, pull.Snapshotter, SnapshotKind.Active, key, parent, Protocol.Values.Labels.None.Add(RootfsReference, chainId), _by),
                cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            return;
        }

        try
        {
            Descriptor applied = await AskAsync(new DiffCommands.Apply(pull.Namespace, layer, mounts, Synchronize: false, _by), cancellationToken).ConfigureAwait(false);
            if (applied.Digest != diffId)
            {
                throw new RefusedException(Error.FailedPrecondition($"wrong diff id {applied.Digest} calculated on extraction, expected {diffId}"));
            }

            await AskAsync(
                new SnapshotterCommands.Commit(pull.Namespace, pull.Snapshotter, chainId, key, Protocol.Values.Labels.None, "", _by), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            await RemoveSnapshotAsync(key).ConfigureAwait(false);
        }
        catch
        {
            await RemoveSnapshotAsync(key).ConfigureAwait(false);
            throw;
        }

        await LabelAsync(layer.Digest, ContentLabels.Uncompressed, diffId.ToString(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes the configuration keep the top snapshot, and the image.</summary>
    public async Task FinishAsync(PreparedImage image, CancellationToken cancellationToken)
    {
        if (!image.ChainIds.IsEmpty)
        {
            await LabelAsync(image.Config.Digest, ContentLabels.SnapshotReference + pull.Snapshotter, image.ChainIds[^1], cancellationToken).ConfigureAwait(false);
        }

        Descriptor target = new(image.Target.MediaType, image.Target.Digest, image.Target.Size);
        try
        {
            await AskAsync(new ImageCommands.Create(pull.Namespace, pull.Reference, target, pull.Labels, null, _by), cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            await AskAsync(new ImageCommands.Update(pull.Namespace, pull.Reference, target, pull.Labels, [], null, _by), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Gives the lease back: what the image does not keep may go. Never fails, for a lease that stays expires.</summary>
    public async Task ReleaseAsync()
    {
        if (_by.Lease.Length > 0)
        {
            await TryAsync(new LeaseCommands.Delete(pull.Namespace, _by.Lease, pull.By)).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public void Dispose() => source.Dispose();

    private async Task<Descriptor> ChooseAsync(Descriptor target, byte[] document, CancellationToken cancellationToken)
    {
        Index index = Read(() => ImageDocuments.ReadIndex(document, settings.DocumentBytesMax, target.MediaType));
        PlatformMatcher matcher = pull.Platform is { } platform ? new PlatformMatcher(platform) : PlatformMatcher.Default;
        IReadOnlyList<Descriptor> chosen = matcher.Choose(index);
        if (chosen.Count == 0)
        {
            throw new RefusedException(Error.NotFound($"{reference}: no match for platform in manifest {target.Digest}"));
        }

        await StoreAsync(target, document, ContentLabels.OfChildren(index, manifest => manifest.Digest == chosen[0].Digest), cancellationToken).ConfigureAwait(false);
        return chosen[0];
    }

    private async Task StoreAsync(
        Descriptor descriptor, ReadOnlyMemory<byte> bytes, IEnumerable<KeyValuePair<string, string>> labels, CancellationToken cancellationToken)
    {
        ImmutableSortedDictionary<string, string> all = Sources(Protocol.Values.Labels.From(labels));
        string key = ContentLabels.IngestKey(descriptor);
        try
        {
            await OpenAsync(key, descriptor, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            // Stored before, perhaps without labels that this pull needs.
            ContentCommands.Update update = new(pull.Namespace, descriptor.Digest, all, [.. all.Keys.Select(name => $"labels.{name}")], _by);
            await AskAsync(update, cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            await AskAsync(new IngestCommands.Write(pull.Namespace, key, 0, bytes), cancellationToken).ConfigureAwait(false);
            await AskAsync(new IngestCommands.Commit(pull.Namespace, key, descriptor.Size, descriptor.Digest, all, _by), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            tree.Tell(new IngestCommands.Close(pull.Namespace, key, Abort: true));
        }
    }

    // Another pull may be writing the same blob; its end is waited for, and then the blob is there.
    private async Task<IngestState> OpenAsync(string key, Descriptor descriptor, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await AskAsync(new IngestCommands.Open(pull.Namespace, key, descriptor.Size, descriptor.Digest, _by), cancellationToken).ConfigureAwait(false);
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.Unavailable)
            {
                await Task.Delay(settings.LockedRetry, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task CopyAsync(string key, Descriptor layer, long offset, Action<long> progress, CancellationToken cancellationToken)
    {
        Stream blob = await source.OpenBlobAsync(layer, offset, cancellationToken).ConfigureAwait(false);
        await using (blob.ConfigureAwait(false))
        {
            // Written one at a time: the lane has read the buffer when the answer comes.
            byte[] buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(WriteBytes, Math.Max(layer.Size - offset, 1)));
            for (int read; (read = await blob.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false)) > 0;)
            {
                await AskAsync(new IngestCommands.Write(pull.Namespace, key, offset, buffer.AsMemory(0, read)), cancellationToken).ConfigureAwait(false);
                offset += read;
                progress(offset);
            }
        }
    }

    private async Task<byte[]> ReadBlobAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (descriptor.Size < 0 || descriptor.Size > settings.DocumentBytesMax)
        {
            throw new RefusedException(new Error(
                ErrorKind.ResourceExhausted, $"configuration {descriptor.Digest}: {descriptor.Size} bytes are more than {PullSettings.Path}.document-bytes-max"));
        }

        byte[] bytes = new byte[descriptor.Size];
        Stream blob = await source.OpenBlobAsync(descriptor, 0, cancellationToken).ConfigureAwait(false);
        await using (blob.ConfigureAwait(false))
        {
            await blob.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        }

        return bytes;
    }

    private ImmutableSortedDictionary<string, string> Sources(ImmutableSortedDictionary<string, string> labels) =>
        ContentLabels.WithSource(reference.Host, null, reference.Repository) is { } value
            ? labels.SetItem(ContentLabels.DistributionSource + reference.Host, value)
            : labels;

    private Task<ContentRecord> LabelAsync(Digest digest, string name, string value, CancellationToken cancellationToken) => AskAsync(
        new ContentCommands.Update(pull.Namespace, digest, Protocol.Values.Labels.None.Add(name, value), [$"labels.{name}"], _by), cancellationToken);

    private Task RemoveSnapshotAsync(string key) => TryAsync(new SnapshotCommands.Remove(pull.Namespace, pull.Snapshotter, key, _by));

    private async Task TryAsync(IRequest<Nothing> request)
    {
        try
        {
            await AskAsync(request, CancellationToken.None).ConfigureAwait(false);
        }
        catch (RefusedException)
        {
            // Garbage collection takes what is left once the lease has ended.
        }
    }

    private async Task<T> AskAsync<T>(IRequest<T> request, CancellationToken cancellationToken)
    {
        try
        {
            return (await tree.Ask<Reply<T>>(request, settings.StepTimeout, cancellationToken).ConfigureAwait(false)).Value;
        }
        catch (AskTimeoutException)
        {
            throw new RefusedException(new Error(
                ErrorKind.DeadlineExceeded, $"{reference}: {request.GetType().Name} took longer than {settings.StepTimeout.TotalSeconds:0} s ({PullSettings.Path}.step-timeout)"));
        }
    }

    private static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException malformed)
        {
            throw new RefusedException(Error.Invalid(malformed.Message), malformed);
        }
    }
}
