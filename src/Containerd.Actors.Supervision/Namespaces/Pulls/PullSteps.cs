// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Supervision.Tracing;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>An image whose documents are stored: what is left to fetch and to unpack.</summary>
/// <param name="Target">What the image will point at: an index or a manifest.</param>
/// <param name="Images">Its images.</param>
internal sealed record PreparedImage(Descriptor Target, ImmutableArray<PlannedImage> Images);

/// <summary>The steps of a pull, each a plain sequence of requests to the tree; the plan says when which is taken.</summary>
/// <remarks>A step that is given up has undone or finished what it began when its task ends.</remarks>
internal sealed class PullSteps : IDisposable
{
    private const string Expire = "containerd.io/gc.expire";

    private readonly TreeAsk _tree;
    private readonly IImageSource _source;
    private readonly PullCommands.Pull _pull;
    private readonly ImageReference _reference;
    private readonly PullSettings _settings;
    private readonly TimeProvider _time;
    private readonly UploadStep _uploads;
    private readonly UnpackStep _unpacking;
    private readonly string _lease;
    private Caller _by;

    /// <summary>The steps of one pull.</summary>
    /// <param name="tree">The root of the tree.</param>
    /// <param name="source">Where bytes come from; disposed with the steps.</param>
    /// <param name="pull">What is pulled.</param>
    /// <param name="operation">Id of the pull, and of its lease when the caller brings none.</param>
    /// <param name="reference">Its reference.</param>
    /// <param name="settings">Bounds.</param>
    /// <param name="time">The clock.</param>
    public PullSteps(
        IActorRef tree, IImageSource source, PullCommands.Pull pull, string operation, ImageReference reference, PullSettings settings, TimeProvider time)
    {
        (_source, _pull, _reference, _settings, _time) = (source, pull, reference, settings, time);
        _tree = new TreeAsk(tree, pull.Reference, settings.StepTimeout);
        _uploads = new UploadStep(_tree, source, pull.Namespace, pull.By, reference, settings, time);
        _unpacking = new UnpackStep(_tree, _uploads.LabelAsync, pull.Namespace, time);
        _lease = pull.By.Lease.Length > 0 ? "" : operation;
        _by = pull.By;
    }

    /// <summary>Takes a lease, finds out what the reference stands for, has it verified, stores its documents.</summary>
    /// <param name="resolved">Called with what the reference stands for once verifiers accepted it.</param>
    /// <param name="told">Called with each document and where it is, from any thread.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<PreparedImage> PrepareAsync(Action<Descriptor> resolved, Action<LayerProgress> told, CancellationToken cancellationToken) =>
        Spans.TimeAsync(
            "pull resolve", _pull.By.Trace, "image", _pull.Reference, () => ResolveAsync(resolved, told, cancellationToken));

    /// <summary>Stores a blob; true when it was there before.</summary>
    public Task<bool> FetchAsync(Descriptor blob, Action<long> progress, CancellationToken cancellationToken) =>
        Spans.TimeAsync("pull fetch", _by.Trace, "digest", $"{blob.Digest}", () => _uploads.FetchAsync(blob, _by, progress, cancellationToken));

    /// <summary>Extracts a stored layer onto its parent.</summary>
    public Task UnpackAsync(Descriptor layer, PlannedSnapshot snapshot, string parent, CancellationToken cancellationToken) =>
        Spans.TimeAsync("pull unpack", _by.Trace, "digest", $"{layer.Digest}", () => _unpacking.UnpackAsync(layer, snapshot, parent, _by, cancellationToken));

    /// <summary>Extracts a layer and leaves the rest to a link; null when its snapshot is there already.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="snapshot">What it becomes.</param>
    /// <param name="parent">Name of the snapshot it lies on; null when that may not be there yet.</param>
    /// <param name="isArriving">True when it is not stored yet and its bytes are coming.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ExtractedSnapshot?> ExtractAsync(
        Descriptor layer, PlannedSnapshot snapshot, string? parent, bool isArriving, CancellationToken cancellationToken) =>
        Spans.TimeAsync("pull unpack", _by.Trace, "digest", $"{layer.Digest}", () => _unpacking.ExtractAsync(
            layer,
            snapshot,
            new Extraction(parent, isArriving ? new ArrivingUpload(ContentLabels.IngestKey(layer), _settings.ArrivalPatience) : null),
            _by,
            cancellationToken));

    /// <summary>Commits an extracted layer on its parent.</summary>
    public Task LinkAsync(Descriptor layer, PlannedSnapshot snapshot, ExtractedSnapshot extracted, string parent) =>
        _unpacking.LinkAsync(layer, snapshot, extracted, parent, _by);

    /// <summary>Removes an extracted layer that is not wanted any more.</summary>
    public Task DropAsync(PlannedSnapshot snapshot, ExtractedSnapshot extracted) => _unpacking.DropAsync(snapshot, extracted, _by);

    /// <summary>Makes configurations keep their topmost snapshots, and the image under all its names, which are returned.</summary>
    public async Task<ImmutableArray<string>> FinishAsync(PreparedImage image, CancellationToken cancellationToken)
    {
        foreach (PlannedImage one in image.Images)
        {
            if (one.Config is { } config && one.TopChainId is { } top)
            {
                await _uploads.LabelAsync(
                    config, Protocol.Values.Labels.From(one.Snapshotters.Select(name => KeyValuePair.Create(ContentLabels.SnapshotReference + name, top))), _by)
                    .ConfigureAwait(false);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        Descriptor target = new(image.Target.MediaType, image.Target.Digest, image.Target.Size);
        ImmutableArray<string> names = [.. _pull.Wish.Names.Select(name => name.Of(target.Digest)).Distinct(StringComparer.Ordinal)];
        foreach (string name in names)
        {
            await PutAsync(name, target).ConfigureAwait(false);
        }

        return names;
    }

    /// <summary>Gives the lease back: what the image does not keep may go. Never fails, for a lease that stays expires.</summary>
    public Task ReleaseAsync() => _lease.Length == 0
        ? Task.CompletedTask
        : _tree.TryAsync(new LeaseCommands.Delete(_pull.Namespace, _lease, _pull.By));

    /// <inheritdoc />
    public void Dispose() => _source.Dispose();

    private async Task<PreparedImage> ResolveAsync(Action<Descriptor> resolved, Action<LayerProgress> told, CancellationToken cancellationToken)
    {
        await LeaseAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        Descriptor target = await _source.ResolveAsync(cancellationToken).ConfigureAwait(false);
        await _tree.AskAsync(new VerifierCommands.Verify(_pull.Reference, target), cancellationToken).ConfigureAwait(false);
        resolved(target);
        DocumentStep documents = new(_uploads, _source, _pull.Wish, _reference, _settings, told);
        return new PreparedImage(target, await documents.PrepareAsync(target, _by, cancellationToken).ConfigureAwait(false));
    }

    // The id of the lease is that of the pull, so that the next daemon can give back what a killed one left.
    private async Task LeaseAsync()
    {
        if (_lease.Length == 0)
        {
            return;
        }

        string expiry = (_time.GetUtcNow() + _settings.LeaseDuration).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        LeaseCommands.Create create = new(_pull.Namespace, _lease, Protocol.Values.Labels.None.Add(Expire, expiry), _pull.By);
        try
        {
            await _tree.FinishAsync(create).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            // Left by an earlier pull; it may expire soon.
            await ReleaseAsync().ConfigureAwait(false);
            await _tree.FinishAsync(create).ConfigureAwait(false);
        }

        _by = _pull.By with { Lease = _lease };
    }

    private async Task PutAsync(string name, Descriptor target)
    {
        while (true)
        {
            try
            {
                await _tree.FinishAsync(new ImageCommands.Create(_pull.Namespace, name, target, _pull.Wish.Labels, null, _by)).ConfigureAwait(false);
                return;
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
            {
                // It is changed instead.
            }

            try
            {
                await _tree.FinishAsync(new ImageCommands.Update(_pull.Namespace, name, target, _pull.Wish.Labels, [], null, _by)).ConfigureAwait(false);
                return;
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
            {
                // Removed between the two: then it can be made.
            }
        }
    }
}
