// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>Connections for reading, kept open with their statements prepared; at most so many are out at a time.</summary>
internal sealed class ReadConnections(string file, int limit) : IDisposable
{
    private readonly ConcurrentBag<ReadConnection> _idle = [];
    private readonly SemaphoreSlim _free = new(limit);
    private volatile bool _closed;

    /// <summary>Takes a connection, waiting until one is free; disposing the lease gives it back.</summary>
    public async ValueTask<Lease> Take(CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation).ConfigureAwait(false);
        return Leased();
    }

    /// <summary>Takes a connection, blocking until one is free.</summary>
    public Lease Take()
    {
        _free.Wait();
        return Leased();
    }

    private Lease Leased()
    {
        try
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return new Lease(this, _idle.TryTake(out ReadConnection? idle) ? idle : new ReadConnection(JournalFile.OpenReader(file)));
        }
        catch
        {
            _free.Release();
            throw;
        }
    }

    public void Dispose()
    {
        _closed = true;
        while (_idle.TryTake(out ReadConnection? connection))
        {
            connection.Dispose();
        }
    }

    private void Return(ReadConnection connection)
    {
        if (_closed)
        {
            connection.Dispose();
        }
        else
        {
            _idle.Add(connection);
        }

        _free.Release();
    }

    /// <summary>A connection that is out.</summary>
    internal readonly struct Lease(ReadConnections owner, ReadConnection connection) : IDisposable
    {
        public ReadConnection Connection => connection;

        public void Dispose() => owner.Return(connection);
    }
}

/// <summary>A connection with the statements that recovery uses.</summary>
internal sealed class ReadConnection : IDisposable
{
    private readonly SqliteCommand _place;
    private readonly SqliteCommand _replay;

    public ReadConnection(SqliteConnection connection)
    {
        Connection = connection;
        _place = JournalSchema.Prepare(connection, "select highest, ended_at from entities where entity = $entity", "$entity");
        _replay = JournalSchema.Prepare(
            connection,
            $"select {JournalSchema.Columns} from events where entity = $entity and sequence >= $from and sequence <= $to " +
            "order by sequence limit $max",
            "$entity", "$from", "$to", "$max");
    }

    public SqliteConnection Connection { get; }

    /// <summary>The highest sequence number of an entity and the one at which it last ended; zeros when it is not known.</summary>
    public (long Highest, long EndedAt) Place(string entity)
    {
        _place.Parameters[0].Value = entity;
        using SqliteDataReader reader = _place.ExecuteReader();
        return reader.Read() ? (reader.GetInt64(0), reader.GetInt64(1)) : (0, 0);
    }

    /// <summary>The statement over rows of an entity; the caller reads it to the end before the connection goes back.</summary>
    public SqliteDataReader Replay(string entity, long from, long to, long max)
    {
        _replay.Parameters[0].Value = entity;
        _replay.Parameters[1].Value = from;
        _replay.Parameters[2].Value = to;
        _replay.Parameters[3].Value = max;
        return _replay.ExecuteReader();
    }

    public void Dispose()
    {
        _place.Dispose();
        _replay.Dispose();
        Connection.Dispose();
    }
}
