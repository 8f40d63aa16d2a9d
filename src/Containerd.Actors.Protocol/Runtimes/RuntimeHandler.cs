// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Runtimes;

/// <summary>A runtime under a short name, as the configuration describes it (<c>containerd.runtimes.NAME</c>).</summary>
/// <param name="Name">The short name.</param>
/// <param name="Type">Dotted name of the runtime, from which the shim's executable follows.</param>
/// <param name="Path">Absolute path of the shim instead; empty to look for it.</param>
/// <param name="Snapshotter">Snapshotter of containers that do not name one; empty for the default.</param>
/// <param name="Sandboxer">Controller of sandboxes: <c>shim</c> or <c>podsandbox</c>.</param>
/// <param name="Options">Options for the runtime; null for none.</param>
public sealed record RuntimeHandler(string Name, string Type, string Path, string Snapshotter, string Sandboxer, AnyValue? Options);

/// <summary>The runtimes of the node.</summary>
public interface IRuntimes
{
    /// <summary>All handlers, by name.</summary>
    ImmutableArray<RuntimeHandler> Handlers { get; }

    /// <summary>What a runtime says of itself, as <c>containerd.types.RuntimeInfo</c>.</summary>
    /// <param name="runtime">A handler's name, a dotted name or a path.</param>
    /// <param name="options">Options to ask with; null for the handler's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Errors.RefusedException">There is no such runtime, or it cannot tell.</exception>
    Task<AnyValue> GetInfoAsync(string runtime, AnyValue? options, CancellationToken cancellationToken);
}
