// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;

namespace Containerd.Actors.Core.Audit;

/// <summary>Which records to read. Conditions that are set must all hold; the default matches everything.</summary>
public sealed record JournalFilter
{
    /// <summary>Matches every record.</summary>
    public static JournalFilter All { get; } = new();

    /// <summary>Namespace of the record; null for any, empty for records of the node.</summary>
    public string? Namespace { get; init; }

    /// <summary>What the persistence id begins with; empty for any.</summary>
    public string EntityPrefix { get; init; } = "";

    /// <summary>Persistence ids, one of which must be the record's; empty for any.</summary>
    public ImmutableArray<string> Entities { get; init; } = [];

    /// <summary>What concerns one container: its record and its task.</summary>
    public static JournalFilter Container(string ns, string id) =>
        new() { Namespace = ns, Entities = [EntityIds.Container(ns, id), EntityIds.Task(ns, id)] };

    /// <summary>True when a record is wanted.</summary>
    public bool Matches(JournalRecord record) =>
        (Namespace is null || record.Recorded.Namespace == Namespace) &&
        record.Entity.StartsWith(EntityPrefix, StringComparison.Ordinal) &&
        (Entities.IsDefaultOrEmpty || Entities.Contains(record.Entity));
}

/// <summary>Where the hash chain of the journal does not hold.</summary>
/// <param name="Cursor">The first cursor that disagrees.</param>
/// <param name="Reason"><c>edited</c>, <c>removed</c> or <c>reordered</c>.</param>
public sealed record JournalDamage(ulong Cursor, string Reason);

/// <summary>What a check of the hash chain found.</summary>
/// <param name="Records">Records checked.</param>
/// <param name="LastCursor">Cursor of the newest record.</param>
/// <param name="Damages">Empty when the chain holds; bounded, the oldest first.</param>
public sealed record JournalVerification(ulong Records, ulong LastCursor, ImmutableArray<JournalDamage> Damages);

/// <summary>Reads the journal beside those who write it; never waits for a writer.</summary>
public interface IJournalReader
{
    /// <summary>Cursor of the newest stored record; 0 when there is none.</summary>
    ulong LastCursor { get; }

    /// <summary>Persistence ids with this prefix whose entities have not ended, in byte order.</summary>
    IReadOnlyList<string> LiveEntities(string prefix);

    /// <summary>Records behind a cursor in global order. A record that cannot be decoded comes with an event that says so.</summary>
    /// <param name="since">Records with a greater cursor are read; 0 for all.</param>
    /// <param name="limit">At most this many; 0 for no limit.</param>
    /// <param name="filter">Which records.</param>
    /// <param name="cancellation">Ends the reading.</param>
    IAsyncEnumerable<JournalRecord> Read(ulong since, long limit, JournalFilter filter, CancellationToken cancellation);

    /// <summary>Checks the hash chain over the whole journal.</summary>
    Task<JournalVerification> Verify(CancellationToken cancellation);

    /// <summary>The manifest of an event, for example <c>task.exited:1</c>.</summary>
    string Manifest(DomainEvent value);
}

/// <summary>Is told what was stored.</summary>
public interface IJournalListener
{
    /// <summary>Records were stored; their writers do not know yet. Must not block or throw: all writers wait for it.</summary>
    /// <param name="records">In global order, without overlap or gap between calls.</param>
    void OnStored(IReadOnlyList<JournalRecord> records);
}
