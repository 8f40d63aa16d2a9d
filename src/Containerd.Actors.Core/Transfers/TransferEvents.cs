// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Transfers;

/// <summary>What can happen to images on their way out of a namespace, or into it from an archive.</summary>
public static class TransferEvents
{
    /// <summary>Somebody wants images moved.</summary>
    /// <param name="Kind"><c>push</c>, <c>import</c> or <c>export</c>.</param>
    /// <param name="Images">Names of the images; empty where the archive names them.</param>
    /// <param name="Place">The reference that is pushed to; empty for an archive.</param>
    public sealed record Requested(string Kind, ImmutableArray<string> Images, string Place) : DomainEvent;

    /// <summary>They are where they were to go.</summary>
    /// <param name="Images">Names with an at-sign and the digest of their target behind each.</param>
    public sealed record Completed(ImmutableArray<string> Images) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => true;
    }

    /// <summary>They are not, or not all.</summary>
    public sealed record Failed(Error Error) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => true;
    }
}

/// <summary>What the journal knows of a transfer.</summary>
/// <param name="Kind">What is under way; empty for nothing.</param>
public sealed record TransferState(string Kind)
{
    /// <summary>Nothing is under way.</summary>
    public static TransferState Empty { get; } = new("");

    /// <summary>The state after one more event.</summary>
    public TransferState Apply(DomainEvent e) => e switch
    {
        TransferEvents.Requested requested => new TransferState(requested.Kind),
        TransferEvents.Completed or TransferEvents.Failed => Empty,
        _ => this,
    };
}
