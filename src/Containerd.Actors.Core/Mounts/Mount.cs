// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Core.Mounts;

/// <summary>A mount as data: what <c>mount(8)</c> would be told. Nothing is mounted by making one.</summary>
/// <param name="Type">File system type, or <c>bind</c>.</param>
/// <param name="Source">Device, directory or the type's own name.</param>
/// <param name="Target">Sub-path below the directory on which it is mounted; empty for the directory itself.</param>
/// <param name="Options">fstab-style options in order; flags and data are told apart when mounting.</param>
public sealed record Mount(string Type, string Source, string Target, ImmutableArray<string> Options);
