// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Protocol.Tasks;

/// <summary>A mount a client gives for the root file system of a task; the shim mounts it.</summary>
/// <param name="Type">File system type, or <c>bind</c>.</param>
/// <param name="Source">Device, directory or the type's own name.</param>
/// <param name="Target">Sub-path below the root file system; empty for the root itself.</param>
/// <param name="Options">fstab-style options in order.</param>
public sealed record RootfsMount(string Type, string Source, string Target, ImmutableArray<string> Options);
