// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Sandboxes;

/// <summary>A message for one sandbox; supervisors route by it.</summary>
public interface IForSandbox : IInNamespace
{
    /// <summary>Id of the sandbox.</summary>
    string SandboxId { get; }
}

/// <summary>What a sandbox is made of, whether or not it runs.</summary>
/// <param name="Id">Unique in its namespace.</param>
public sealed record SandboxRecord(string Id)
{
    /// <summary>Labels; a label without a value is not kept.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = Values.Labels.None;

    /// <summary>Name of the runtime, or absolute path of a shim.</summary>
    public string RuntimeName { get; init; } = "";

    /// <summary>Options for the runtime; null if none were given.</summary>
    public AnyValue? RuntimeOptions { get; init; }

    /// <summary>The spec, usually an OCI runtime spec as JSON; opaque here.</summary>
    public AnyValue? Spec { get; init; }

    /// <summary>Values kept for clients.</summary>
    public ImmutableSortedDictionary<string, AnyValue> Extensions { get; init; } =
        ImmutableSortedDictionary.Create<string, AnyValue>(StringComparer.Ordinal);

    /// <summary>Name of the controller that is to run it; empty if the client did not say.</summary>
    public string Sandboxer { get; init; } = "";

    /// <summary>When the record was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the record was last changed.</summary>
    public DateTimeOffset UpdatedAt { get; init; }
}
