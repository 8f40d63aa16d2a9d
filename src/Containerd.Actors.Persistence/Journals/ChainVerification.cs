// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Audit;
using Containerd.Actors.Persistence.Stored;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>Walks the journal in order of the cursors and recomputes every hash.</summary>
/// <remarks>
/// Cursors have no gaps, so a missing one is a removed record unless the table <c>removed</c> has its hash and a record of the
/// removal is in the chain. The table <c>head</c> shows when the newest records are missing. A record whose hash does not fit is
/// looked for among its neighbours: if one of them fits there, the order was changed.
/// </remarks>
internal sealed class ChainVerification : IDisposable
{
    private const int DamagesMax = 1_000;
    private const long Neighbourhood = 128;

    private readonly SqliteConnection _connection;
    private readonly HashChain _chain = new();
    private readonly List<JournalDamage> _damages = [];
    private readonly Dictionary<string, long> _removals = new(StringComparer.Ordinal);
    private readonly List<(ulong Cursor, string Entity, long Sequence)> _gone = [];
    private byte[]? _previous = HashChain.Origin;
    private ulong _expected = 1;
    private ulong _records;

    private ChainVerification(SqliteConnection connection) => _connection = connection;

    public static JournalVerification Run(SqliteConnection connection, CancellationToken cancellation)
    {
        using ChainVerification verification = new(connection);
        JournalFile.Execute(connection, "begin");
        try
        {
            return verification.Walk(cancellation);
        }
        finally
        {
            JournalFile.Execute(connection, "rollback");
        }
    }

    public void Dispose() => _chain.Dispose();

    private JournalVerification Walk(CancellationToken cancellation)
    {
        using SqliteCommand command = JournalSchema.Prepare(_connection, $"select {JournalSchema.Columns} from events order by cursor");
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read() && _damages.Count < DamagesMax)
        {
            cancellation.ThrowIfCancellationRequested();
            ulong cursor = (ulong)reader.GetInt64(0);
            FollowGap(cursor);
            try
            {
                Check(cursor, JournalSchema.Read(reader));
            }
            catch (FormatException)
            {
                Damage(cursor, "edited");
                _previous = null;
            }

            _records++;
            _expected = cursor + 1;
        }

        ulong last = CheckHead();
        CheckRemovals();
        return new JournalVerification(_records, last, [.. _damages.OrderBy(damage => damage.Cursor)]);
    }

    private void Check(ulong cursor, JournalRow row)
    {
        // Behind a record that is missing or unreadable the first one is taken at its word.
        if (_previous is not null && !_chain.Next(_previous, cursor, row).AsSpan().SequenceEqual(row.Hash))
        {
            byte[]? moved = FindMoved(cursor);
            Damage(cursor, moved is null ? "edited" : "reordered");
            _previous = moved ?? row.Hash;
            return;
        }

        _previous = row.Hash;
        if (row.Serializer is null && row.Entity == RetentionEvents.Entity && row.ToRecord().Recorded.Event is RetentionEvents.Removed removed)
        {
            _removals[removed.OfEntity] = Math.Max(_removals.GetValueOrDefault(removed.OfEntity), removed.ToSequence);
        }
    }

    /// <summary>The hash of a neighbour that belongs at this cursor; null when there is none.</summary>
    private byte[]? FindMoved(ulong cursor)
    {
        using SqliteCommand command = JournalSchema.Prepare(
            _connection,
            $"select {JournalSchema.Columns} from events where cursor between $from and $to and cursor <> $cursor order by cursor",
            "$from", "$to", "$cursor");
        command.Parameters[0].Value = (long)cursor - Neighbourhood;
        command.Parameters[1].Value = (long)cursor + Neighbourhood;
        command.Parameters[2].Value = (long)cursor;
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            try
            {
                JournalRow row = JournalSchema.Read(reader);
                if (_chain.Next(_previous!, cursor, row).AsSpan().SequenceEqual(row.Hash))
                {
                    return row.Hash;
                }
            }
            catch (FormatException)
            {
                // A damaged neighbour is reported when its turn comes.
            }
        }

        return null;
    }

    /// <summary>Accounts for cursors between the expected one and the next that is there.</summary>
    private void FollowGap(ulong next)
    {
        if (next <= _expected)
        {
            return;
        }

        using SqliteCommand command = JournalSchema.Prepare(
            _connection,
            "select cursor, entity, sequence, hash from removed where cursor >= $from and cursor < $next order by cursor",
            "$from", "$next");
        command.Parameters[0].Value = (long)_expected;
        command.Parameters[1].Value = (long)Math.Min(next, long.MaxValue);
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            ulong cursor = (ulong)reader.GetInt64(0);
            if (cursor > _expected)
            {
                Damage(_expected, "removed");
            }

            _gone.Add((cursor, reader.GetString(1), reader.GetInt64(2)));
            _previous = reader.GetFieldValue<byte[]>(3);
            _expected = cursor + 1;
        }

        if (_expected < next)
        {
            Damage(_expected, "removed");
            _previous = null;
            _expected = next;
        }
    }

    private ulong CheckHead()
    {
        using SqliteCommand command = JournalSchema.Prepare(_connection, "select cursor, hash from head");
        using SqliteDataReader reader = command.ExecuteReader();
        if (!reader.Read())
        {
            Damage(_expected, "removed");
            return _expected - 1;
        }

        ulong head = (ulong)reader.GetInt64(0);
        if (_damages.Count >= DamagesMax)
        {
            return head;
        }

        FollowGap(head + 1);
        if (_expected > head + 1)
        {
            Damage(head + 1, "edited");
        }
        else if (_previous is not null && !_previous.AsSpan().SequenceEqual(reader.GetFieldValue<byte[]>(1)))
        {
            Damage(head, "edited");
        }

        return Math.Max(head, _expected - 1);
    }

    /// <summary>A removal that no record in the chain ordered is damage.</summary>
    private void CheckRemovals()
    {
        foreach ((ulong cursor, string entity, long sequence) in _gone)
        {
            if (sequence > _removals.GetValueOrDefault(entity))
            {
                Damage(cursor, "removed");
            }
        }
    }

    private void Damage(ulong cursor, string reason)
    {
        if (_damages.Count < DamagesMax && !_damages.Exists(damage => damage.Cursor == cursor))
        {
            _damages.Add(new JournalDamage(cursor, reason));
        }
    }
}
