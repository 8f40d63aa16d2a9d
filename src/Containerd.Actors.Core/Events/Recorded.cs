// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Callers;

namespace Containerd.Actors.Core.Events;

/// <summary>An event as it is stored: the fact, whose it is, when it happened and on whose behalf.</summary>
/// <param name="Namespace">Namespace of the entity; empty for what concerns the node.</param>
/// <param name="Event">The fact.</param>
/// <param name="By">On whose behalf, as part of which operation and trace.</param>
/// <param name="At">When the daemon learnt it.</param>
public sealed record Recorded(string Namespace, DomainEvent Event, Caller By, DateTimeOffset At);

/// <summary>A recorded event with its place in the journal.</summary>
/// <param name="Cursor">Position in the global order; strictly increasing, never reused, possibly with gaps.</param>
/// <param name="Entity">Persistence id of the entity, for example <c>task/default/redis</c>.</param>
/// <param name="Sequence">Position among the events of the entity.</param>
/// <param name="Recorded">The event.</param>
/// <param name="Hash">Hash over this record and the hash of the one before it.</param>
public sealed record JournalRecord(ulong Cursor, string Entity, long Sequence, Recorded Recorded, ReadOnlyMemory<byte> Hash);
