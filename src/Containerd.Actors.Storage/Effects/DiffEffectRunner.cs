// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;
using Containerd.Actors.Storage.Mounts;

namespace Containerd.Actors.Storage.Effects;

/// <summary>Carries out <see cref="DiffEffects"/>: layers onto mounts, and mounts into layers.</summary>
/// <param name="store">Where layers are read and written.</param>
/// <param name="limits">Bounds of layers from outside.</param>
/// <param name="scratch">Directory for the mount points of trees that are compared or written to.</param>
/// <param name="processors">Programs that layers run through.</param>
/// <param name="activations">Mounts what takes more than a mount.</param>
public sealed class DiffEffectRunner(
    ContentStore store, LayerLimits limits, string scratch, StreamProcessors processors, ActivationDirectories activations) : IEffectRunner
{
    /// <inheritdoc />
    public bool Runs(Effect effect) => effect?.GetType().DeclaringType == typeof(DiffEffects);

    /// <inheritdoc />
    public object? Run(Effect effect, CancellationToken cancellationToken) => effect switch
    {
        DiffEffects.Apply apply => Apply(apply, cancellationToken),
        DiffEffects.ApplyArriving apply => Apply(apply, cancellationToken),
        DiffEffects.Create create => Create(create, cancellationToken),
        _ => throw new RefusedException(Error.NotImplemented($"effect {effect}")),
    };

    private AppliedLayer Apply(DiffEffects.Apply apply, CancellationToken cancellationToken)
    {
        using Stream blob = store.OpenRead(apply.Layer.Digest);
        return OnMounts(apply.Mounts, target => Apply(apply, blob, target, cancellationToken), cancellationToken);
    }

    private AppliedLayer Apply(DiffEffects.ApplyArriving apply, CancellationToken cancellationToken)
    {
        (ImmutableArray<StreamProcessor> chain, string mediaType) = processors.Chain(apply.Layer.MediaType);
        if (!chain.IsEmpty)
        {
            throw new RefusedException(Error.NotImplemented($"stream processor {chain[0].Name}: the layer is not in a file"));
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(apply.Patience);
        using ArrivingStream blob = store.OpenArriving(apply.Namespace, apply.Reference);
        try
        {
            return OnMounts(apply.Mounts, target => LayerApplier.Apply(blob, mediaType, target, limits, patience.Token), patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new RefusedException(new Error(
                ErrorKind.DeadlineExceeded, $"{apply.Call} {apply.Subject}: not done within {apply.Patience.TotalSeconds:0.###}s while it came"));
        }
    }

    private AppliedLayer OnMounts(ImmutableArray<Mount> mounts, Func<ApplyTarget, AppliedLayer> work, CancellationToken cancellationToken)
    {
        using ScratchMounts usable = ScratchMounts.Of(mounts, activations, scratch, cancellationToken);
        if (ApplyTarget.TryFrom(usable.Mounts) is { } target)
        {
            return work(target);
        }

        // What cannot be written to from the side is mounted, and removed names are deleted on the spot.
        string directory = Path.Combine(scratch, $"apply-{Guid.NewGuid():N}");
        Directory.CreateDirectory(directory);
        try
        {
            Mounter.MountAll(usable.Mounts, directory);
            return work(ApplyTarget.Plain(directory));
        }
        finally
        {
            Mounter.UnmountAll(directory);
            Directory.Delete(directory);
        }
    }

    private AppliedLayer Apply(DiffEffects.Apply apply, Stream blob, ApplyTarget target, CancellationToken cancellationToken)
    {
        using ProcessedLayer processed = processors.Start(blob, apply.Layer.MediaType, apply.Payloads, cancellationToken);
        AppliedLayer layer;
        try
        {
            layer = LayerApplier.Apply(processed.Stream, processed.MediaType, target, limits, cancellationToken);
        }
        catch (RefusedException) when (processed.Failure() is { } failure)
        {
            // A program that failed leaves half a layer, which is not what is to be told.
            throw new RefusedException(failure);
        }

        if (processed.Failure() is { } late)
        {
            throw new RefusedException(late);
        }

        if (apply.Synchronize)
        {
            using Linux.Files.DirectoryHandle directory = Linux.Files.DirectoryHandle.Open(target.Directory);
            directory.SynchronizeFileSystem();
        }

        return layer;
    }

    private DiffEffects.WrittenLayer Create(DiffEffects.Create create, CancellationToken cancellationToken)
    {
        using ReadOnlyTree lower = ReadOnlyTree.Open(create.Lower, activations, scratch, cancellationToken);
        using ReadOnlyTree upper = ReadOnlyTree.Open(create.Upper, activations, scratch, cancellationToken);
        Ingest ingest = store.OpenIngest(create.Namespace, create.Reference);
        try
        {
            ingest.Truncate(0);
            WrittenLayer written = LayerWriter.Write(
                new DiffSource(lower.Path, upper.Path), create.MediaType, ingest, create.SourceDateEpoch, cancellationToken);
            return new DiffEffects.WrittenLayer(written.Descriptor, written.DiffId, ingest);
        }
        catch
        {
            // A layer cannot be gone on with where it broke off.
            ingest.Abort();
            throw;
        }
    }
}
