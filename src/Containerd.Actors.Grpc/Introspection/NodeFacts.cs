// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Grpc.Introspection;

/// <summary>What the daemon says of itself.</summary>
/// <param name="Version">Semantic version with a leading v; clients parse it.</param>
/// <param name="Revision">Revision of the sources; empty if unknown.</param>
/// <param name="Uuid">Identifies the root directory for as long as it lives.</param>
/// <param name="Pid">Process id of the daemon.</param>
/// <param name="PidNamespace">Inode of its pid namespace.</param>
/// <param name="Plugins">What it is made of, in containerd's words.</param>
public sealed record NodeFacts(
    string Version, string Revision, string Uuid, int Pid, ulong PidNamespace, ImmutableArray<PluginFacts> Plugins);

/// <summary>One part of the daemon under the name that containerd's clients look for.</summary>
/// <param name="Type">For example <c>io.containerd.snapshotter.v1</c>.</param>
/// <param name="Id">Unique in its type.</param>
public sealed record PluginFacts(string Type, string Id)
{
    /// <summary>Types of the plugins it is built on.</summary>
    public ImmutableArray<string> Requires { get; init; } = [];

    /// <summary>True for what depends on the platform, which is then told.</summary>
    public bool IsOfPlatform { get; init; }

    /// <summary>What it can do.</summary>
    public ImmutableArray<string> Capabilities { get; init; } = [];

    /// <summary>For which platforms, as <c>os/architecture</c>; empty for the host's.</summary>
    public ImmutableArray<string> Platforms { get; init; } = [];

    /// <summary>What it tells of itself, for example its root directory.</summary>
    public ImmutableDictionary<string, string> Exports { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Why it does not work; empty when it does.</summary>
    public string InitError { get; init; } = "";
}
