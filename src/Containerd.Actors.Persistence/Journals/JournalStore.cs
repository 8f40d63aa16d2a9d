// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using System.Text;
using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Persistence.Stored;
using Containerd.Actors.Protocol.Errors;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>An open journal file: one writer thread, many readers.</summary>
/// <remarks>One per file and process. Actors reach it through the plugin; everyone else reads through <see cref="IJournalReader"/>.</remarks>
public sealed class JournalStore : IJournalReader, IDisposable
{
    private const int PageOfRecords = 512;

    private readonly JournalSettings _settings;
    private readonly JournalWriter _writer;
    private readonly ReadConnections _readers;

    private JournalStore(JournalSettings settings, JournalWriter writer)
    {
        _settings = settings;
        _writer = writer;
        _readers = new ReadConnections(settings.File, settings.ReadConnections);
    }

    /// <inheritdoc />
    public ulong LastCursor => _writer.LastCursor;

    /// <summary>Opens the file, making it and its tables if they are missing.</summary>
    /// <param name="settings">Where and how.</param>
    /// <param name="time">For records of the journal itself.</param>
    /// <param name="report">Is told, in one line, what went wrong outside of anyone's request.</param>
    /// <exception cref="RefusedException">The file cannot be opened or is damaged; the text names it.</exception>
    public static JournalStore Open(JournalSettings settings, TimeProvider? time = null, Action<string>? report = null)
    {
        SqliteConnection? connection = null;
        try
        {
            connection = JournalFile.OpenWriter(settings.File, settings.BusyTimeout, settings.CheckpointPages);
            JournalFile.Execute(connection, JournalSchema.Create);
            JournalWriter writer = new(settings, connection, time ?? TimeProvider.System, report ?? (_ => { }));
            return new JournalStore(settings, writer);
        }
        catch (Exception failure) when (failure is SqliteException or InvalidDataException or InvalidCastException)
        {
            connection?.Dispose();
            throw new RefusedException(
                failure is SqliteException sqlite
                    ? Explain(settings, sqlite)
                    : new Error(ErrorKind.DataLoss, $"journal \"{settings.File}\" is damaged: {failure.Message}"),
                failure);
        }
    }

    /// <summary>Adds a listener, which is told of every commit from now on.</summary>
    public void Listen(IJournalListener listener) => _writer.Listen(listener);

    /// <summary>Removes a listener.</summary>
    public void Unlisten(IJournalListener listener) => _writer.Unlisten(listener);

    /// <summary>Stores rows of one entity as a whole; completes when they are durable.</summary>
    internal Task Append(IReadOnlyList<JournalRow> rows) => Add(new AppendRequest(rows));

    /// <summary>Removes rows of an entity up to a sequence number, inclusive; its highest sequence number stays.</summary>
    internal Task Remove(string entity, long toSequence) => Add(new RemoveRequest(entity, toSequence));

    /// <summary>Highest sequence number of an entity and the one at which it last ended.</summary>
    internal async Task<(long Highest, long EndedAt)> Place(string entity)
    {
        using ReadConnections.Lease lease = await _readers.Take(CancellationToken.None).ConfigureAwait(false);
        return Explained(() => lease.Connection.Place(entity));
    }

    /// <summary>Hands rows of the living incarnation of an entity to a callback, in order.</summary>
    /// <exception cref="RefusedException">A row cannot be read; the text names cursor and manifest.</exception>
    internal async Task Replay(string entity, long from, long to, long max, Action<JournalRow> found)
    {
        using ReadConnections.Lease lease = await _readers.Take(CancellationToken.None).ConfigureAwait(false);
        Explained(() =>
        {
            long endedAt = lease.Connection.Place(entity).EndedAt;
            using SqliteDataReader reader = lease.Connection.Replay(entity, Math.Max(from, endedAt + 1), to, max);
            while (reader.Read())
            {
                Visit(entity, reader, found);
            }

            return true;
        });
    }

    /// <inheritdoc />
    public IReadOnlyList<string> LiveEntities(string prefix)
    {
        using ReadConnections.Lease lease = _readers.Take();
        using SqliteCommand command = JournalSchema.Prepare(
            lease.Connection.Connection,
            "select entity from entities where entity >= $prefix and entity < $behind and ended_at < highest and removed_to < highest " +
            "order by entity",
            "$prefix", "$behind");
        command.Parameters[0].Value = prefix;
        command.Parameters[1].Value = JournalSchema.BehindPrefix(prefix);
        return Explained(() =>
        {
            List<string> entities = [];
            using SqliteDataReader reader = command.ExecuteReader();
            while (reader.Read())
            {
                entities.Add(reader.GetString(0));
            }

            return entities;
        });
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<JournalRecord> Read(
        ulong since, long limit, JournalFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        long left = limit == 0 ? long.MaxValue : limit;
        while (left > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            IReadOnlyList<JournalRecord> page = await Page(since, Math.Min(left, PageOfRecords), filter, cancellation).ConfigureAwait(false);
            foreach (JournalRecord record in page)
            {
                yield return record;
            }

            if (page.Count < PageOfRecords)
            {
                yield break;
            }

            left -= page.Count;
            since = page[^1].Cursor;
        }
    }

    /// <inheritdoc />
    public async Task<JournalVerification> Verify(CancellationToken cancellation)
    {
        using ReadConnections.Lease lease = await _readers.Take(cancellation).ConfigureAwait(false);
        return await Task.Run(() => Explained(() => ChainVerification.Run(lease.Connection.Connection, cancellation)), cancellation)
            .ConfigureAwait(false);
    }

    /// <inheritdoc />
    public string Manifest(DomainEvent value) => EventCodec.Manifest(value);

    /// <summary>Stores what waits, then closes the file.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _readers.Dispose();
    }

    private Task Add(WriteRequest request)
    {
        _writer.Add(request);
        return request.Done;
    }

    // A page at a time, so that a slow reader does not keep the write-ahead log from being folded into the file.
    private async Task<IReadOnlyList<JournalRecord>> Page(ulong since, long limit, JournalFilter filter, CancellationToken cancellation)
    {
        using ReadConnections.Lease lease = await _readers.Take(cancellation).ConfigureAwait(false);
        using SqliteCommand command = Query(lease.Connection.Connection, since, limit, filter);
        return Explained(() =>
        {
            List<JournalRecord> page = [];
            using SqliteDataReader reader = command.ExecuteReader();
            while (reader.Read())
            {
                Visit("", reader, row => page.Add(row.ToRecord()));
            }

            return page;
        });
    }

    private static SqliteCommand Query(SqliteConnection connection, ulong since, long limit, JournalFilter filter)
    {
        SqliteCommand command = connection.CreateCommand();
        StringBuilder sql = new($"select {JournalSchema.Columns} from events where cursor > $since and serializer is null");
        command.Parameters.AddWithValue("$since", (long)Math.Min(since, long.MaxValue));
        command.Parameters.AddWithValue("$limit", limit);
        if (filter.Namespace is { } ns)
        {
            sql.Append(" and namespace = $namespace");
            command.Parameters.AddWithValue("$namespace", ns);
        }

        if (filter.EntityPrefix.Length > 0)
        {
            sql.Append(" and entity >= $prefix and entity < $behind");
            command.Parameters.AddWithValue("$prefix", filter.EntityPrefix);
            command.Parameters.AddWithValue("$behind", JournalSchema.BehindPrefix(filter.EntityPrefix));
        }

        if (!filter.Entities.IsDefaultOrEmpty)
        {
            string[] names = [.. filter.Entities.Select((_, index) => $"$entity{index}")];
            sql.Append(" and entity in (").AppendJoin(", ", names).Append(')');
            for (int i = 0; i < names.Length; i++)
            {
                command.Parameters.AddWithValue(names[i], filter.Entities[i]);
            }
        }

        command.CommandText = sql.Append(" order by cursor limit $limit").ToString();
        return command;
    }

    private void Visit(string entity, SqliteDataReader reader, Action<JournalRow> found)
    {
        try
        {
            found(JournalSchema.Read(reader));
        }
        catch (FormatException damaged)
        {
            string whose = entity.Length == 0 ? "" : $"entity \"{entity}\": ";
            throw new RefusedException(
                new Error(
                    ErrorKind.DataLoss,
                    $"journal \"{_settings.File}\": {whose}record at cursor {reader.GetValue(0)} with manifest \"{reader.GetValue(3)}\" " +
                    $"cannot be read: {damaged.Message}"),
                damaged);
        }
    }

    private T Explained<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException failure)
        {
            throw new RefusedException(Explain(_settings, failure), failure);
        }
    }

    private static Error Explain(JournalSettings settings, SqliteException failure) =>
        JournalFile.Explain("journal", settings.File, failure, $"{JournalSettings.Path}.busy-timeout");
}
