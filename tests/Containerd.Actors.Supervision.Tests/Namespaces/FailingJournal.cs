// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;

namespace Containerd.Actors.Supervision.Tests.Namespaces;

/// <summary>A journal in memory that fails to store images of one name, as a full disk would.</summary>
public sealed class FailingJournal : MemoryJournal
{
    public const string Name = "fails-to-store";

    protected override Task<IImmutableList<Exception>> WriteMessagesAsync(
        IEnumerable<AtomicWrite> messages, CancellationToken cancellationToken)
    {
        List<AtomicWrite> writes = [.. messages];
        return writes.SelectMany(write => (IImmutableList<IPersistentRepresentation>)write.Payload)
            .Any(e => e.Payload is Recorded { Event: ImageEvents.Created { Image.Name: Name } })
            ? Task.FromException<IImmutableList<Exception>>(new IOException("no space left on device"))
            : base.WriteMessagesAsync(writes, cancellationToken);
    }
}
