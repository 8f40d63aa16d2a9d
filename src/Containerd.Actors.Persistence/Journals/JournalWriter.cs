// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Errors;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>The one thread that writes: all that waits becomes one commit, then listeners are told, then the writers.</summary>
/// <remarks>
/// A commit that fails is taken apart: every request is tried alone, so that a bad one fails alone. The thread outlives every
/// failure; the place in the chain is read from the file again after one, since memory may be ahead of it.
/// </remarks>
internal sealed class JournalWriter : IDisposable
{
    private readonly JournalSettings _settings;
    private readonly WriteQueue _queue;
    private readonly WriteStatements _statements;
    private readonly Action<string> _report;
    private readonly Thread _thread;
    private volatile IJournalListener[] _listeners = [];
    private ulong _lastCursor;

    public JournalWriter(JournalSettings settings, SqliteConnection connection, TimeProvider time, Action<string> report)
    {
        _settings = settings;
        _queue = new WriteQueue(settings.QueueLimit);
        _statements = new WriteStatements(connection, time);
        _report = report;
        _lastCursor = _statements.LoadHead();
        _thread = new Thread(Run) { IsBackground = true, Name = "journal" };
        _thread.Start();
    }

    /// <summary>Cursor of the newest durable record.</summary>
    public ulong LastCursor => Volatile.Read(ref _lastCursor);

    /// <summary>Hands a request to the thread; its outcome is <see cref="WriteRequest.Done"/>.</summary>
    public void Add(WriteRequest request) => _queue.Add(request);

    /// <summary>Adds a listener; it is told of every commit after the one that may be under way.</summary>
    public void Listen(IJournalListener listener)
    {
        lock (_queue)
        {
            _listeners = [.. _listeners, listener];
        }
    }

    /// <summary>Removes a listener.</summary>
    public void Unlisten(IJournalListener listener)
    {
        lock (_queue)
        {
            _listeners = [.. _listeners.Where(other => !ReferenceEquals(other, listener))];
        }
    }

    /// <summary>Writes what waits, then ends.</summary>
    public void Dispose()
    {
        _queue.Close();
        _thread.Join();
        _statements.Dispose();
    }

    private void Run()
    {
        List<WriteRequest> batch = [];
        while (_queue.Take(batch, _settings.BatchLimit))
        {
            if (TryStore(batch) is not { } failure)
            {
                continue;
            }

            if (batch.Count == 1 || failure is SqliteException locked && JournalFile.IsLocked(locked))
            {
                batch.ForEach(request => request.Fail(Explain(failure)));
                continue;
            }

            foreach (WriteRequest request in batch)
            {
                if (TryStore([request]) is { } own)
                {
                    request.Fail(Explain(own));
                }
            }
        }
    }

    /// <summary>Stores all requests in one commit and tells everyone, or changes nothing and says why.</summary>
    private Exception? TryStore(List<WriteRequest> requests)
    {
        List<JournalRow> stored = [];
        try
        {
            _statements.Begin();
            foreach (WriteRequest request in requests)
            {
                stored.AddRange(_statements.Apply(request));
            }

            _statements.Commit();
        }
#pragma warning disable CA1031 // The rim of the thread: whatever fails is the writer's failure, never the thread's end.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _statements.Rollback();
            return failure;
        }

        Volatile.Write(ref _lastCursor, _statements.Cursor);
        Tell(stored);
        requests.ForEach(request => request.Succeed());
        return null;
    }

    private void Tell(List<JournalRow> stored)
    {
        IJournalListener[] listeners = _listeners;
        if (listeners.Length == 0)
        {
            return;
        }

        JournalRecord[] records = [.. stored.Where(row => row.Recorded is not null).Select(row => row.ToRecord())];
        foreach (IJournalListener listener in listeners)
        {
            try
            {
                listener.OnStored(records);
            }
#pragma warning disable CA1031 // What is stored is stored: a listener's failure must not become the writer's.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                _report($"journal: listener {listener.GetType().Name} failed: {failure.Message}");
            }
        }
    }

    private Exception Explain(Exception failure) => failure is SqliteException sqlite
        ? new RefusedException(JournalFile.Explain("journal", _settings.File, sqlite, $"{JournalSettings.Path}.busy-timeout"), sqlite)
        : failure;
}
