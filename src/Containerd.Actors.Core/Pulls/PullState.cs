// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;

namespace Containerd.Actors.Core.Pulls;

/// <summary>What the journal knows of a pull.</summary>
/// <param name="Reference">What is pulled; empty when no pull is under way.</param>
public sealed record PullState(string Reference)
{
    /// <summary>Nothing is under way.</summary>
    public static PullState Empty { get; } = new("");

    /// <summary>The state after one more event.</summary>
    public PullState Apply(DomainEvent e) => e switch
    {
        PullEvents.Requested requested => new PullState(requested.Reference),
        PullEvents.Completed or PullEvents.Failed => Empty,
        _ => this,
    };
}
