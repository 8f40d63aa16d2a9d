// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>What waits for the writer thread, in order and bounded.</summary>
internal sealed class WriteQueue(int limit)
{
    private readonly Queue<WriteRequest> _waiting = new();
    private readonly object _gate = new();
    private bool _closed;

    /// <summary>Adds a request; one that finds the queue full or closed fails at once.</summary>
    public void Add(WriteRequest request)
    {
        lock (_gate)
        {
            if (_closed)
            {
                request.Fail(new RefusedException(Error.Unavailable("journal is closed")));
                return;
            }

            if (_waiting.Count >= limit)
            {
                request.Fail(new RefusedException(new Error(
                    ErrorKind.ResourceExhausted, $"journal: {limit} writes are waiting ({JournalSettings.Path}.queue-limit)")));
                return;
            }

            _waiting.Enqueue(request);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Nothing is taken in any more; what waits is still handed out.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for work and fills the batch; false when closed and empty.</summary>
    /// <param name="batch">Is emptied first; then holds at least one request, and no second one that would exceed the limit.</param>
    /// <param name="batchLimit">Events in a batch.</param>
    public bool Take(List<WriteRequest> batch, int batchLimit)
    {
        batch.Clear();
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_closed)
            {
                Monitor.Wait(_gate);
            }

            int events = 0;
            while (_waiting.TryPeek(out WriteRequest? next) && (batch.Count == 0 || events + next.Weight <= batchLimit))
            {
                batch.Add(_waiting.Dequeue());
                events += next.Weight;
            }

            return batch.Count > 0;
        }
    }
}
