// SPDX-License-Identifier: Apache-2.0

using Akka.Persistence;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Protocol.Errors;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Savepoints;

/// <summary>A row of the table <c>savepoints</c>.</summary>
internal sealed record Savepoint(long Sequence, long At, int? Serializer, string Manifest, byte[] Payload);

/// <summary>The file of savepoints. Used by one actor, so never by two threads at once.</summary>
internal sealed class SavepointFile : IDisposable
{
    private const string Condition =
        "entity = $entity and sequence >= $from and sequence <= $to and at >= $since and at <= $until";

    private static readonly string[] Range = ["$entity", "$from", "$to", "$since", "$until"];

    private readonly string _file;
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _find;

    private SavepointFile(string file, SqliteConnection connection)
    {
        _file = file;
        _connection = connection;
        _find = JournalSchema.Prepare(
            connection,
            $"select sequence, at, serializer, manifest, payload from savepoints where {Condition} order by sequence desc limit 4",
            Range);
    }

    /// <summary>Opens the file, making it and its table if they are missing.</summary>
    /// <exception cref="RefusedException">The file cannot be opened or is damaged; the text names it.</exception>
    public static SavepointFile Open(string file, TimeSpan busyTimeout)
    {
        SqliteConnection? connection = null;
        try
        {
            connection = JournalFile.OpenWriter(file, busyTimeout, 1_000);
            JournalFile.Execute(connection, """
                create table if not exists savepoints(
                  entity text not null,
                  sequence integer not null,
                  at integer not null,
                  serializer integer,
                  manifest text not null,
                  payload blob not null,
                  primary key(entity, sequence));
                """);
            return new SavepointFile(file, connection);
        }
        catch (SqliteException failure)
        {
            connection?.Dispose();
            throw Explained(file, failure);
        }
    }

    /// <summary>The newest few savepoints that fit, newest first.</summary>
    public IReadOnlyList<Savepoint> Find(string entity, SnapshotSelectionCriteria criteria)
    {
        Bind(_find, entity, criteria);
        return Explained(() =>
        {
            List<Savepoint> found = [];
            using SqliteDataReader reader = _find.ExecuteReader();
            while (reader.Read())
            {
                found.Add(new Savepoint(
                    reader.GetInt64(0), reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetInt32(2), reader.GetString(3),
                    reader.GetFieldValue<byte[]>(4)));
            }

            return found;
        });
    }

    /// <summary>Adds a savepoint, or replaces the one of the same sequence number.</summary>
    public void Save(SnapshotMetadata metadata, int? serializer, string manifest, byte[] payload)
    {
        using SqliteCommand command = JournalSchema.Prepare(
            _connection,
            "insert or replace into savepoints(entity, sequence, at, serializer, manifest, payload) " +
            "values ($entity, $sequence, $at, $serializer, $manifest, $payload)",
            "$entity", "$sequence", "$at", "$serializer", "$manifest", "$payload");
        command.Parameters[0].Value = metadata.PersistenceId;
        command.Parameters[1].Value = metadata.SequenceNr;
        command.Parameters[2].Value = metadata.Timestamp.Ticks;
        command.Parameters[3].Value = serializer is { } id ? id : DBNull.Value;
        command.Parameters[4].Value = manifest;
        command.Parameters[5].Value = payload;
        Explained(command.ExecuteNonQuery);
    }

    /// <summary>Deletes one savepoint; a time in the metadata must be its own.</summary>
    public void Delete(SnapshotMetadata metadata)
    {
        using SqliteCommand command = JournalSchema.Prepare(
            _connection, "delete from savepoints where entity = $entity and sequence = $sequence and ($at = 0 or at = $at)",
            "$entity", "$sequence", "$at");
        command.Parameters[0].Value = metadata.PersistenceId;
        command.Parameters[1].Value = metadata.SequenceNr;
        command.Parameters[2].Value = metadata.Timestamp.Ticks;
        Explained(command.ExecuteNonQuery);
    }

    /// <summary>Deletes all savepoints that fit.</summary>
    public void Delete(string entity, SnapshotSelectionCriteria criteria)
    {
        using SqliteCommand command = JournalSchema.Prepare(_connection, $"delete from savepoints where {Condition}", Range);
        Bind(command, entity, criteria);
        Explained(command.ExecuteNonQuery);
    }

    public void Dispose()
    {
        _find.Dispose();
        _connection.Dispose();
    }

    private static void Bind(SqliteCommand command, string entity, SnapshotSelectionCriteria criteria)
    {
        command.Parameters[0].Value = entity;
        command.Parameters[1].Value = criteria.MinSequenceNr;
        command.Parameters[2].Value = criteria.MaxSequenceNr;
        command.Parameters[3].Value = criteria.MinTimestamp?.Ticks ?? 0L;
        command.Parameters[4].Value = criteria.MaxTimeStamp.Ticks;
    }

    private T Explained<T>(Func<T> use)
    {
        try
        {
            return use();
        }
        catch (SqliteException failure)
        {
            throw Explained(_file, failure);
        }
    }

    private static RefusedException Explained(string file, SqliteException failure) => new(
        JournalFile.IsCorrupt(failure)
            ? new Error(ErrorKind.DataLoss, $"savepoints \"{file}\" are damaged: delete the file, events alone give the same state")
            : JournalFile.Explain("savepoints", file, failure, $"{SqliteSnapshotStore.Path}.busy-timeout"),
        failure);
}
