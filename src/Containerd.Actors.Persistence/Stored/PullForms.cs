// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Pulls;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="PullEvents"/>.</summary>
internal static class PullForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("pull.requested:1", V1.PullRequested.Parser,
            (PullEvents.Requested e) =>
                new V1.PullRequested { Reference = e.Reference, Snapshotter = e.Snapshotter, Platform = e.Platform },
            m => new PullEvents.Requested(m.Reference, m.Snapshotter, m.Platform)),
        EventForm.Of("pull.resolved:1", V1.PullResolved.Parser,
            (PullEvents.Resolved e) => new V1.PullResolved { Target = Values.Descriptor(e.Target) },
            m => new PullEvents.Resolved(Values.Descriptor(m.Target))),
        EventForm.Of("pull.layer-unpacked:1", V1.PullLayerUnpacked.Parser,
            (PullEvents.LayerUnpacked e) => new V1.PullLayerUnpacked { Layer = e.Layer.ToString(), ChainId = e.ChainId },
            m => new PullEvents.LayerUnpacked(Values.Digest(m.Layer), m.ChainId)),
        EventForm.Of("pull.completed:1", V1.PullCompleted.Parser,
            (PullEvents.Completed e) => new V1.PullCompleted { Target = e.Target.ToString() },
            m => new PullEvents.Completed(Values.Digest(m.Target))),
        EventForm.Of("pull.failed:1", V1.PullFailed.Parser,
            (PullEvents.Failed e) => new V1.PullFailed { Error = Values.Error(e.Error) },
            m => new PullEvents.Failed(Values.Error(m.Error))),
    ];
}
