// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <content>What a pull does between the moment in which its documents are stored and the one in which all is there.</content>
internal sealed partial class PullActor
{
    private void Begin(PreparedImage image)
    {
        if (_failure is not null)
        {
            return;
        }

        _image = image;
        _plan = PullPlan.Of(image.Images, _settings.LayersMax, _settings.UnpacksMax, _settings.ArrivalsMax);
        Record(_pull!.By, new PullEvents.Resolved(new Descriptor(image.Target.MediaType, image.Target.Digest, image.Target.Size)));
        for (int i = 0; i < _plan.Blobs.Length; i++)
        {
            Descriptor blob = _plan.Blobs[i].Blob;
            _layers.Add(Context.Watch(Context.ActorOf(LayerActor.Props(_steps!, _tree, blob, i, _cancellation.Token), blob.Digest.ToString())));
            _underWay.Add(0);
        }

        ILookup<Digest, Digest> parents = image.Images
            .Where(one => one.Manifest is not null)
            .SelectMany(one => one.Blobs.Select(blob => (blob.Digest, one.Manifest!.Value)))
            .Distinct()
            .ToLookup(pair => pair.Digest, pair => pair.Value);
        HashSet<int> unpacked = [.. _plan.Snapshots.Select(snapshot => snapshot.Blob)];
        _progress = _progress with
        {
            Stage = PullStage.Fetching,
            Layers =
            [
                .. _plan.Blobs.Select((blob, i) => new LayerProgress(blob.Blob, 0, LayerStage.Waiting)
                {
                    Parents = [.. parents[blob.Blob.Digest]],
                    IsUnpacked = unpacked.Contains(i),
                }),
            ],
        };
        Advance();
    }

    private void OnStored(LayerActor.Stored stored)
    {
        _plan = _plan!.Stored(stored.Position);
        LayerProgress layer = _progress.Layers[stored.Position];
        _progress = _progress with
        {
            Layers = _progress.Layers.SetItem(stored.Position, layer with { Offset = layer.Layer.Size, WasThere = stored.WasThere }),
        };
        Advance();
    }

    private void OnUnpacked(LayerActor.Unpacked unpacked)
    {
        _plan = _plan!.Unpacked(unpacked.Snapshot);
        PlannedSnapshot snapshot = _plan.Snapshots[unpacked.Snapshot];
        Record(_pull!.By, new PullEvents.LayerUnpacked(_plan.Blobs[snapshot.Blob].Blob.Digest, snapshot.ChainId));
        Advance();
    }

    private void OnExtracted(LayerActor.Extracted extracted)
    {
        _plan = _plan!.Extracted(extracted.Snapshot);
        if (_failure is null)
        {
            Advance();
        }
        else
        {
            DropExtracted();
        }
    }

    private void OnMissed(LayerActor.Missed missed)
    {
        _plan = _plan!.Missed(missed.Snapshot);
        Advance();
    }

    private void OnNeedsParent(LayerActor.NeedsParent needs)
    {
        _plan = _plan!.Attached(needs.Snapshot);
        Advance();
    }

    // What was extracted and will not be committed any more is removed before the pull ends.
    private void DropExtracted()
    {
        for (int i = 0; i < (_plan?.Snapshots.Length ?? 0); i++)
        {
            if (_plan!.Snapshots[i] is { Stage: SnapshotStage.Extracted } waits && !_layers[waits.Blob].IsNobody())
            {
                Tell(i, (snapshot, _) => new LayerActor.Drop(i, snapshot));
                _plan = _plan.Attached(i);
            }
        }
    }

    private void Tell(int position, Func<PlannedSnapshot, string, object> request)
    {
        PlannedSnapshot snapshot = _plan!.Snapshots[position];
        string parent = snapshot.Parent < 0 ? "" : _plan.Snapshots[snapshot.Parent].ChainId;
        _underWay[snapshot.Blob]++;
        _layers[snapshot.Blob].Tell(request(snapshot, parent));
    }

    private void Advance()
    {
        if (_failure is not null)
        {
            return;
        }

        (_plan, ImmutableArray<PullStep> steps) = _plan!.Next();
        foreach (PullStep step in steps)
        {
            switch (step)
            {
                case PullStep.Fetch fetch:
                    _underWay[fetch.Blob]++;
                    _layers[fetch.Blob].Tell(new LayerActor.Fetch());
                    break;
                case PullStep.Unpack unpack:
                    Tell(unpack.Snapshot, (snapshot, parent) => new LayerActor.Unpack(
                        unpack.Snapshot, snapshot, parent, unpack.IsDetached, unpack.IsArriving));
                    break;
                case PullStep.Link link:
                    Tell(link.Snapshot, (snapshot, parent) => new LayerActor.Link(link.Snapshot, snapshot, parent));
                    break;
                case PullStep.Finish:
                    _own++;
                    _steps!.FinishAsync(_image!, _cancellation.Token).PipeTo(
                        Self, success: names => new Finished(names), failure: cause => new Broke(ErrorOf(cause)));
                    break;
            }
        }

        Changed(_progress with
        {
            Stage = _plan.IsFetched ? PullStage.Unpacking : PullStage.Fetching,
            Layers = [.. _progress.Layers.Select((layer, i) => layer with { Stage = _plan.StageOf(i) })],
        });
    }

    private void Follow(LayerActor.Moved moved)
    {
        if (_progress.Layers[moved.Position].Stage == LayerStage.Fetching)
        {
            LayerProgress layer = _progress.Layers[moved.Position] with { Offset = moved.Offset };
            Changed(_progress with { Layers = _progress.Layers.SetItem(moved.Position, layer) });
            if (!_plan!.Blobs[moved.Position].IsArriving && moved.Offset < layer.Layer.Size)
            {
                _plan = _plan.Arriving(moved.Position);
                Advance();
            }
        }
    }

    private void Follow(LayerProgress document)
    {
        int known = _progress.Documents.IndexOf(
            _progress.Documents.FirstOrDefault(other => other.Layer.Digest == document.Layer.Digest, document));
        Changed(_progress with
        {
            Documents = known < 0 ? _progress.Documents.Add(document) : _progress.Documents.SetItem(known, document),
        });
    }
}
