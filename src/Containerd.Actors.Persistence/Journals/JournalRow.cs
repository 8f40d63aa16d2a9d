// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Persistence.Stored;
using Containerd.Actors.Protocol.Callers;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>One record as it lies in the table <c>events</c>.</summary>
/// <remarks>
/// Records of entities have no serializer and are decoded by <see cref="EventCodec"/>. Anything else that an actor persists went
/// through Akka's serialization and has the id of its serializer.
/// </remarks>
internal sealed class JournalRow
{
    public required string Entity { get; init; }

    public required long Sequence { get; init; }

    public required string Manifest { get; init; }

    /// <summary>Since 1970 in units of 100 ns, which keeps every time of .NET exactly.</summary>
    public required long At { get; init; }

    public string Namespace { get; init; } = "";

    public Principal? Principal { get; init; }

    public string Operation { get; init; } = "";

    public string Trace { get; init; } = "";

    public string Lease { get; init; } = "";

    public int? Serializer { get; init; }

    public string Writer { get; init; } = "";

    public required byte[] Payload { get; init; }

    /// <summary>True when the entity is gone after this record.</summary>
    public bool EndsEntity { get; init; }

    /// <summary>What was persisted; null for rows that were read and for foreign payloads.</summary>
    public Recorded? Recorded { get; init; }

    /// <summary>Given by the writer thread.</summary>
    public ulong Cursor { get; set; }

    /// <summary>Given by the writer thread.</summary>
    public byte[] Hash { get; set; } = [];

    /// <summary>The row of a recorded event.</summary>
    public static JournalRow From(string entity, long sequence, Recorded recorded)
    {
        (string manifest, byte[] payload) = EventCodec.Write(recorded.Event);
        return new JournalRow
        {
            Entity = entity,
            Sequence = sequence,
            Manifest = manifest,
            At = Ticks(recorded.At),
            Namespace = recorded.Namespace,
            Principal = recorded.By.Principal,
            Operation = recorded.By.Operation,
            Trace = recorded.By.Trace,
            Lease = recorded.By.Lease,
            Payload = payload,
            EndsEntity = recorded.Event.EndsEntity,
            Recorded = recorded,
        };
    }

    /// <summary>The event in the row.</summary>
    /// <exception cref="FormatException">The row cannot be decoded.</exception>
    public Recorded Decode()
    {
        if (Recorded is not null)
        {
            return Recorded;
        }

        Caller by = new(Principal ?? throw new FormatException("the record has no principal"), Operation, Trace, Lease);
        return new Recorded(Namespace, EventCodec.Read(Manifest, Payload), by, Time(At));
    }

    /// <summary>The record with its place; undecodable events are replaced by one that says so.</summary>
    public JournalRecord ToRecord()
    {
        Recorded recorded;
        try
        {
            recorded = Decode();
        }
        catch (FormatException failure)
        {
            Caller by = new(Principal ?? Principal.Actor("journal"), Operation, Trace, Lease);
            recorded = new Recorded(Namespace, new UnreadableEvent(Manifest, failure.Message), by, Time(At));
        }

        return new JournalRecord(Cursor, Entity, Sequence, recorded, Hash);
    }

    public static long Ticks(DateTimeOffset time) => time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;

    public static DateTimeOffset Time(long ticks)
    {
        long since = ticks + DateTimeOffset.UnixEpoch.Ticks;
        return since >= 0 && since <= DateTimeOffset.MaxValue.Ticks
            ? new DateTimeOffset(since, TimeSpan.Zero)
            : throw new FormatException($"the time {ticks} is out of range");
    }
}
