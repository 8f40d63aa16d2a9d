// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Persistence.Journals;

/// <summary>Work for the writer thread: stored as a whole or not at all.</summary>
internal abstract class WriteRequest
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the request is durable; fails with what stood in the way.</summary>
    public Task Done => _done.Task;

    /// <summary>How many events it counts for in a batch.</summary>
    public abstract int Weight { get; }

    public void Succeed() => _done.TrySetResult();

    public void Fail(Exception failure) => _done.TrySetException(failure);
}

/// <summary>Adds rows of one entity.</summary>
internal sealed class AppendRequest(IReadOnlyList<JournalRow> rows) : WriteRequest
{
    public IReadOnlyList<JournalRow> Rows { get; } = rows;

    public override int Weight => Rows.Count;
}

/// <summary>Removes rows of one entity, leaving their hashes and a record of the removal.</summary>
internal sealed class RemoveRequest(string entity, long toSequence) : WriteRequest
{
    public string Entity { get; } = entity;

    public long ToSequence { get; } = toSequence;

    public override int Weight => 1;
}
