// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Events;

/// <summary>An event as subscribers see it: containerd's envelope.</summary>
/// <param name="Namespace">Namespace it happened in.</param>
/// <param name="Topic">What it is about, for example <c>/tasks/exit</c>.</param>
/// <param name="At">When the daemon learnt it.</param>
/// <param name="Payload">One of containerd's event messages, or whatever a client published.</param>
public sealed record Publication(
    string Namespace,
    string Topic,
    DateTimeOffset At,
    AnyValue Payload);
