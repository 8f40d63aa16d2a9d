// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Shims;

/// <summary>The connection to a shim ended before it answered; whether it carried the call out is unknown.</summary>
/// <param name="id">The task whose shim it is.</param>
/// <param name="inner">How the loss was seen.</param>
public sealed class ShimClosedException(string id, Exception? inner = null) : Exception($"shim of task {id}: ttrpc: closed", inner)
{
    /// <summary>The task whose shim it is.</summary>
    public string Id { get; } = id;
}
