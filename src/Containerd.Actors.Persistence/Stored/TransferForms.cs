// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Transfers;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="TransferEvents"/>.</summary>
internal static class TransferForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("transfer.requested:1", V1.TransferRequested.Parser,
            (TransferEvents.Requested e) => new V1.TransferRequested { Kind = e.Kind, Images = { e.Images }, Place = e.Place },
            m => new TransferEvents.Requested(m.Kind, [.. m.Images], m.Place)),
        EventForm.Of("transfer.completed:1", V1.TransferCompleted.Parser,
            (TransferEvents.Completed e) => new V1.TransferCompleted { Images = { e.Images } },
            m => new TransferEvents.Completed([.. m.Images])),
        EventForm.Of("transfer.failed:1", V1.TransferFailed.Parser,
            (TransferEvents.Failed e) => new V1.TransferFailed { Error = Values.Error(e.Error) },
            m => new TransferEvents.Failed(Values.Error(m.Error))),
    ];
}
