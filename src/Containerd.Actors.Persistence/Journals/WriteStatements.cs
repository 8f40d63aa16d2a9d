// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Persistence.Stored;
using Containerd.Actors.Protocol.Callers;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>The prepared statements of the writer thread and its place in the chain.</summary>
internal sealed class WriteStatements : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly TimeProvider _time;
    private readonly HashChain _chain = new();
    private readonly SqliteCommand _begin;
    private readonly SqliteCommand _commit;
    private readonly SqliteCommand _insert;
    private readonly SqliteCommand _advance;
    private readonly SqliteCommand _head;
    private byte[] _hash = HashChain.Origin;
    private bool _isHeadKnown;

    public WriteStatements(SqliteConnection connection, TimeProvider time)
    {
        _connection = connection;
        _time = time;
        _begin = JournalSchema.Prepare(connection, "begin immediate");
        _commit = JournalSchema.Prepare(connection, "commit");
        _insert = JournalSchema.Prepare(
            connection, JournalSchema.Insert, "$cursor", "$entity", "$sequence", "$manifest", "$at", "$namespace", "$principal", "$uid",
            "$gid", "$pid", "$executable", "$name", "$operation", "$trace", "$lease", "$serializer", "$writer", "$payload", "$hash");
        _advance = JournalSchema.Prepare(connection, JournalSchema.Advance, "$entity", "$highest", "$ended");
        _head = JournalSchema.Prepare(connection, "update head set cursor = $cursor, hash = $hash", "$cursor", "$hash");
    }

    /// <summary>Cursor of the newest row, committed or not.</summary>
    public ulong Cursor { get; private set; }

    /// <summary>Reads the place in the chain from the file.</summary>
    public ulong LoadHead()
    {
        // Rows past the head were put there by somebody else: verification names them, new rows go behind them.
        using SqliteCommand command = JournalSchema.Prepare(
            _connection, "select max(cursor, coalesce((select max(cursor) from events), 0)), hash from head");
        using SqliteDataReader reader = command.ExecuteReader();
        if (!reader.Read())
        {
            throw new InvalidDataException("the table head is empty");
        }

        Cursor = (ulong)reader.GetInt64(0);
        _hash = reader.GetFieldValue<byte[]>(1);
        _isHeadKnown = true;
        return Cursor;
    }

    public void Begin()
    {
        _begin.ExecuteNonQuery();
        if (!_isHeadKnown)
        {
            LoadHead();
        }
    }

    /// <summary>Does a request within the transaction; gives the rows that it added.</summary>
    public IReadOnlyList<JournalRow> Apply(WriteRequest request) => request switch
    {
        AppendRequest append => Append(append.Rows),
        RemoveRequest remove => Remove(remove),
        _ => throw new NotSupportedException(request.GetType().Name),
    };

    public void Commit()
    {
        _head.Parameters[0].Value = (long)Cursor;
        _head.Parameters[1].Value = _hash;
        _head.ExecuteNonQuery();
        _commit.ExecuteNonQuery();
    }

    /// <summary>Ends what <see cref="Begin"/> began, if SQLite has not done so itself.</summary>
    public void Rollback()
    {
        _isHeadKnown = false;
        if (SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle) == 0)
        {
            try
            {
                JournalFile.Execute(_connection, "rollback");
            }
            catch (SqliteException)
            {
                // The failure that led here is reported; a transaction that cannot be rolled back makes the next begin fail and say so.
            }
        }
    }

    public void Dispose()
    {
        _begin.Dispose();
        _commit.Dispose();
        _insert.Dispose();
        _advance.Dispose();
        _head.Dispose();
        _chain.Dispose();
        _connection.Dispose();
    }

    private IReadOnlyList<JournalRow> Append(IReadOnlyList<JournalRow> rows)
    {
        long ended = 0;
        foreach (JournalRow row in rows)
        {
            row.Cursor = Cursor + 1;
            row.Hash = _chain.Next(_hash, row.Cursor, row);
            Insert(row);
            Cursor = row.Cursor;
            _hash = row.Hash;
            ended = row.EndsEntity ? row.Sequence : ended;
        }

        if (rows.Count > 0)
        {
            _advance.Parameters[0].Value = rows[0].Entity;
            _advance.Parameters[1].Value = rows[^1].Sequence;
            _advance.Parameters[2].Value = ended;
            _advance.ExecuteNonQuery();
        }

        return rows;
    }

    private void Insert(JournalRow row)
    {
        SqliteParameterCollection parameters = _insert.Parameters;
        parameters[0].Value = (long)row.Cursor;
        parameters[1].Value = row.Entity;
        parameters[2].Value = row.Sequence;
        parameters[3].Value = row.Manifest;
        parameters[4].Value = row.At;
        parameters[5].Value = row.Namespace;
        parameters[6].Value = row.Principal is { } principal ? PrincipalColumns.Kind(principal.Kind) : "";
        parameters[7].Value = (long)(row.Principal?.Uid ?? 0);
        parameters[8].Value = (long)(row.Principal?.Gid ?? 0);
        parameters[9].Value = (long)(row.Principal?.Pid ?? 0);
        parameters[10].Value = row.Principal?.Executable ?? "";
        parameters[11].Value = row.Principal?.Name ?? "";
        parameters[12].Value = row.Operation;
        parameters[13].Value = row.Trace;
        parameters[14].Value = row.Lease;
        parameters[15].Value = row.Serializer is { } serializer ? serializer : DBNull.Value;
        parameters[16].Value = row.Writer;
        parameters[17].Value = row.Payload;
        parameters[18].Value = row.Hash;
        _insert.ExecuteNonQuery();
    }

    private IReadOnlyList<JournalRow> Remove(RemoveRequest request)
    {
        using SqliteCommand keep = JournalSchema.Prepare(
            _connection,
            "insert into removed select cursor, entity, sequence, hash from events where entity = $entity and sequence <= $to",
            "$entity", "$to");
        keep.Parameters[0].Value = request.Entity;
        keep.Parameters[1].Value = request.ToSequence;
        if (keep.ExecuteNonQuery() == 0)
        {
            return [];
        }

        using SqliteCommand delete = JournalSchema.Prepare(
            _connection,
            "delete from events where entity = $entity and sequence <= $to; " +
            "update entities set removed_to = min(highest, $to) where entity = $entity returning removed_to",
            "$entity", "$to");
        delete.Parameters[0].Value = request.Entity;
        delete.Parameters[1].Value = request.ToSequence;
        long to = (long)(delete.ExecuteScalar() ?? request.ToSequence);

        RetentionEvents.Removed removed = new(request.Entity, to);
        Recorded recorded = new("", removed, Caller.Policy("retention"), _time.GetUtcNow());
        return Append([JournalRow.From(RetentionEvents.Entity, Highest(RetentionEvents.Entity) + 1, recorded)]);
    }

    private long Highest(string entity)
    {
        using SqliteCommand command = JournalSchema.Prepare(_connection, "select highest from entities where entity = $entity", "$entity");
        command.Parameters[0].Value = entity;
        return (long)(command.ExecuteScalar() ?? 0L);
    }
}
