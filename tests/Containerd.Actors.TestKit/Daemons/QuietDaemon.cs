// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>A daemon that serves as a plugin of another one.</summary>
/// <remarks>What it holds belongs to the daemon in front: a garbage collection of its own would know nothing of that, so none is ever due.</remarks>
internal sealed class QuietDaemon : ActorsDaemon
{
    /// <inheritdoc />
    public override string Configuration => "containerd.garbage-collection { startup-delay = 24h, pause-threshold = 0.001, run-min = 60s }";
}
