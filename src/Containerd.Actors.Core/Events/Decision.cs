// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Events;

/// <summary>What follows from a request: events to store, in order, and the answer to give once they are stored.</summary>
/// <param name="Events">Stored together or not at all; empty for refusals and for requests that change nothing.</param>
/// <param name="Reply">The answer.</param>
public sealed record Decision<T>(ImmutableArray<DomainEvent> Events, Reply<T> Reply);

/// <summary>Short forms for making decisions.</summary>
public static class Decision
{
    /// <summary>Done once these events are stored.</summary>
    public static Decision<T> Done<T>(T value, params ImmutableArray<DomainEvent> events) => new(events, Reply.Done(value));

    /// <summary>Done once these events are stored, with nothing to say.</summary>
    public static Decision<Nothing> Done(params ImmutableArray<DomainEvent> events) => new(events, Reply.Done());

    /// <summary>Refused; nothing is stored.</summary>
    public static Decision<T> Refused<T>(Error error) => new([], Reply.Refused<T>(error));
}
