// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Benchmarks.Images;

/// <summary>An image in the registry of the benchmark.</summary>
/// <param name="Reference">Under which it is pulled.</param>
/// <param name="ChainId">The name of its unpacked layers: the parent of what a container writes.</param>
/// <param name="Bytes">Of its compressed layers.</param>
internal sealed record MadeImage(string Reference, string ChainId, long Bytes);
