// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Akka.Serialization;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>Akka's journal on <see cref="JournalStore"/>.</summary>
/// <remarks>
/// A request of an actor, which may hold several atomic writes, is stored as a whole: when it fails, none of it is there.
/// Reads of an actor that is started again wait for what its predecessor still writes.
/// </remarks>
public sealed class SqliteJournal : AsyncWriteJournal
{
    private readonly JournalStore _store;
    private readonly Akka.Serialization.Serialization _serialization;
    private readonly ConcurrentDictionary<string, Task> _writing = new(StringComparer.Ordinal);

    /// <summary>The journal of the actor system in which this actor is made. Akka calls it by name.</summary>
    public SqliteJournal(Config config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _store = JournalExtension.For(Context.System).Store;
        _serialization = Context.System.Serialization;
    }

    /// <inheritdoc />
    public override async Task ReplayMessagesAsync(
        IActorContext context,
        string persistenceId,
        long fromSequenceNr,
        long toSequenceNr,
        long max,
        Action<IPersistentRepresentation> recoveryCallback)
    {
        if (max <= 0 || fromSequenceNr > toSequenceNr)
        {
            return;
        }

        // Off the actor's thread: many entities recover at once.
        await Task.Run(() => _store.Replay(
            persistenceId, fromSequenceNr, toSequenceNr, max, row => recoveryCallback(Restore(row)))).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public override async Task<long> ReadHighestSequenceNrAsync(
        string persistenceId, long fromSequenceNr, CancellationToken cancellationToken)
    {
        if (_writing.TryGetValue(persistenceId, out Task? writing))
        {
            await writing.ContinueWith(
                _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
        }

        return (await _store.Place(persistenceId).ConfigureAwait(false)).Highest;
    }

    /// <inheritdoc />
    protected override Task<IImmutableList<Exception?>?> WriteMessagesAsync(
        IEnumerable<AtomicWrite> messages, CancellationToken cancellationToken)
    {
        List<JournalRow> rows = [];
        List<Exception?> outcomes = [];
        foreach (AtomicWrite write in messages)
        {
            int before = rows.Count;
            try
            {
                foreach (IPersistentRepresentation persistent in (IEnumerable<IPersistentRepresentation>)write.Payload)
                {
                    rows.Add(Row(persistent));
                }

                outcomes.Add(null);
            }
#pragma warning disable CA1031 // Any failure of a serializer rejects this write and no other.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                rows.RemoveRange(before, rows.Count - before);
                outcomes.Add(failure);
            }
        }

        IImmutableList<Exception?>? result = outcomes.Exists(outcome => outcome is not null) ? [.. outcomes] : null;
        return rows.Count == 0 ? Task.FromResult(result) : Store(rows, result);
    }

    /// <inheritdoc />
    protected override Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr, CancellationToken cancellationToken) =>
        _store.Remove(persistenceId, toSequenceNr);

    private async Task<IImmutableList<Exception?>?> Store(List<JournalRow> rows, IImmutableList<Exception?>? result)
    {
        string entity = rows[0].Entity;
        Task stored = _store.Append(rows);
        _writing[entity] = stored;
        try
        {
            await stored.ConfigureAwait(false);
            return result;
        }
        finally
        {
            _writing.TryRemove(KeyValuePair.Create(entity, stored));
        }
    }

    private JournalRow Row(IPersistentRepresentation persistent)
    {
        object payload = persistent.Payload is Tagged tagged ? tagged.Payload : persistent.Payload;
        if (payload is Recorded recorded)
        {
            return JournalRow.From(persistent.PersistenceId, persistent.SequenceNr, recorded);
        }

        Serializer serializer = _serialization.FindSerializerFor(payload);
        string manifest = Akka.Serialization.Serialization.ManifestFor(serializer, payload);
        return new JournalRow
        {
            Entity = persistent.PersistenceId,
            Sequence = persistent.SequenceNr,
            Manifest = manifest,
            At = persistent.Timestamp,
            Serializer = serializer.Identifier,
            Writer = persistent.WriterGuid ?? "",
            Payload = Akka.Serialization.Serialization.WithTransport(
                _serialization.System, (serializer, payload), static state => state.serializer.ToBinary(state.payload)),
        };
    }

    private Persistent Restore(JournalRow row)
    {
        object payload;
        if (row.Serializer is { } serializer)
        {
            try
            {
                payload = _serialization.Deserialize(row.Payload, serializer, row.Manifest);
            }
            catch (Exception failure) when (failure is not RefusedException)
            {
                throw new FormatException(failure.Message, failure);
            }
        }
        else
        {
            payload = row.Decode();
        }

        return new Persistent(payload, row.Sequence, row.Entity, row.Manifest, false, ActorRefs.NoSender, row.Writer, row.At);
    }
}
