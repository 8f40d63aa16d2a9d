// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Protocol.Callers;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>The tables of the journal file and the statements on them.</summary>
internal static class JournalSchema
{
    /// <summary>Makes what is missing; the README of this project explains each table.</summary>
    public const string Create = """
        create table if not exists events(
          cursor integer primary key,
          entity text not null,
          sequence integer not null,
          manifest text not null,
          at integer not null,
          namespace text not null,
          principal text not null,
          uid integer not null,
          gid integer not null,
          pid integer not null,
          executable text not null,
          name text not null,
          operation text not null,
          trace text not null,
          lease text not null,
          serializer integer,
          writer text not null,
          payload blob not null,
          hash blob not null);
        create unique index if not exists events_entity on events(entity, sequence);
        create table if not exists entities(
          entity text primary key,
          highest integer not null,
          ended_at integer not null default 0,
          removed_to integer not null default 0) without rowid;
        create table if not exists removed(
          cursor integer primary key,
          entity text not null,
          sequence integer not null,
          hash blob not null);
        create table if not exists head(
          one integer primary key check (one = 1),
          cursor integer not null,
          hash blob not null);
        insert or ignore into head(one, cursor, hash) values (1, 0, zeroblob(32));
        """;

    /// <summary>All columns in the order in which <see cref="Read"/> expects them.</summary>
    public const string Columns =
        "cursor, entity, sequence, manifest, at, namespace, principal, uid, gid, pid, executable, name, operation, trace, lease, " +
        "serializer, writer, payload, hash";

    public const string Insert =
        $"insert into events({Columns}) values ($cursor, $entity, $sequence, $manifest, $at, $namespace, $principal, $uid, $gid, " +
        "$pid, $executable, $name, $operation, $trace, $lease, $serializer, $writer, $payload, $hash)";

    public const string Advance =
        "insert into entities(entity, highest, ended_at) values ($entity, $highest, $ended) on conflict(entity) do update set " +
        "highest = max(highest, excluded.highest), ended_at = max(ended_at, excluded.ended_at)";

    /// <summary>Reads the current row. A row whose columns have other types than were written is damaged, not a crash.</summary>
    /// <exception cref="FormatException">A column cannot be what was written.</exception>
    public static JournalRow Read(SqliteDataReader reader)
    {
        try
        {
            PrincipalKind? kind = PrincipalColumns.Kind(reader.GetString(6));
            return new JournalRow
            {
                Cursor = (ulong)reader.GetInt64(0),
                Entity = reader.GetString(1),
                Sequence = reader.GetInt64(2),
                Manifest = reader.GetString(3),
                At = reader.GetInt64(4),
                Namespace = reader.GetString(5),
                Principal = kind is null
                    ? null
                    : new Principal(
                        kind.Value, checked((uint)reader.GetInt64(7)), checked((uint)reader.GetInt64(8)), reader.GetInt32(9),
                        reader.GetString(10), reader.GetString(11)),
                Operation = reader.GetString(12),
                Trace = reader.GetString(13),
                Lease = reader.GetString(14),
                Serializer = reader.IsDBNull(15) ? null : reader.GetInt32(15),
                Writer = reader.GetString(16),
                Payload = reader.GetFieldValue<byte[]>(17),
                Hash = reader.GetFieldValue<byte[]>(18),
            };
        }
        catch (Exception damaged) when (damaged is InvalidCastException or InvalidOperationException or OverflowException)
        {
            throw new FormatException($"a column is damaged: {damaged.Message}", damaged);
        }
    }

    /// <summary>A prepared statement whose parameters are added by name.</summary>
    public static SqliteCommand Prepare(SqliteConnection connection, string sql, params ReadOnlySpan<string> parameters)
    {
        SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (string parameter in parameters)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = parameter });
        }

        return command;
    }

    /// <summary>The text behind every text that begins with a prefix, for range conditions that an index serves.</summary>
    public static string BehindPrefix(string prefix) => prefix + char.ConvertFromUtf32(0x10FFFF);

    /// <summary>A number for messages.</summary>
    public static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
