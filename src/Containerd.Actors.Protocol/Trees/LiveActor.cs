// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Protocol.Trees;

/// <summary>One actor as it lives now.</summary>
/// <param name="Path">Where it is, for example <c>/user/containerd/content</c>.</param>
/// <param name="Type">Name of its class.</param>
public sealed record LiveActor(string Path, string Type);
