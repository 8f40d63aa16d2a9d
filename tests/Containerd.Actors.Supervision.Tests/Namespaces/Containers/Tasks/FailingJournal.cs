// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Persistence;
using Akka.Persistence.Journal;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks;

/// <summary>A journal in memory whose disk fails on demand, for one persistence id.</summary>
public sealed class FailingJournal : MemoryJournal
{
    private static volatile string _failing = "";

    /// <summary>Fails writes of this entity until told otherwise.</summary>
    internal static string Failing
    {
        get => _failing;
        set => _failing = value;
    }

    protected override Task<IImmutableList<Exception>> WriteMessagesAsync(
        IEnumerable<AtomicWrite> messages, CancellationToken cancellationToken)
    {
        AtomicWrite[] writes = [.. messages];
        return writes.Any(write => write.PersistenceId == _failing)
            ? Task.FromException<IImmutableList<Exception>>(new IOException("no space left on device"))
            : base.WriteMessagesAsync(writes, cancellationToken);
    }
}
