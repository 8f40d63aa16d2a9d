// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Grpc.Events;

/// <summary>Bounds of the events face.</summary>
/// <param name="SubscriberQueueMax">Events a subscriber may be behind before it is let go (<c>containerd.events.subscriber-queue-max</c>).</param>
public sealed record EventsSettings(int SubscriberQueueMax);
