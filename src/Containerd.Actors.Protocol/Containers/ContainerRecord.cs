// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Containers;

/// <summary>What a container is made of, whether or not it runs.</summary>
/// <param name="Id">Unique in its namespace.</param>
public sealed record ContainerRecord(string Id)
{
    /// <summary>Labels; a label without a value is not kept.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = Values.Labels.None;

    /// <summary>Name of the image; informational, keeps nothing alive.</summary>
    public string Image { get; init; } = "";

    /// <summary>Name of the runtime, or absolute path of a shim.</summary>
    public string RuntimeName { get; init; } = "";

    /// <summary>Options for the runtime; null if none were given.</summary>
    public AnyValue? RuntimeOptions { get; init; }

    /// <summary>The OCI runtime spec, usually JSON; opaque here.</summary>
    public AnyValue? Spec { get; init; }

    /// <summary>Snapshotter of the root file system; empty if the client brings its own.</summary>
    public string Snapshotter { get; init; } = "";

    /// <summary>Key of the root file system's snapshot.</summary>
    public string SnapshotKey { get; init; } = "";

    /// <summary>Values kept for clients.</summary>
    public ImmutableSortedDictionary<string, AnyValue> Extensions { get; init; } =
        ImmutableSortedDictionary.Create<string, AnyValue>(StringComparer.Ordinal);

    /// <summary>Id of the sandbox it belongs to; empty if none.</summary>
    public string Sandbox { get; init; } = "";

    /// <summary>When the record was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the record was last changed.</summary>
    public DateTimeOffset UpdatedAt { get; init; }
}
