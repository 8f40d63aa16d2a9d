// SPDX-License-Identifier: Apache-2.0

using Containerd.Runc.V1;

namespace Containerd.Actors.Shim.Serving;

/// <summary>What a shim is to serve.</summary>
/// <param name="Namespace">Of which namespace.</param>
/// <param name="Daemon">For the daemon at this ttrpc address, which hears of events.</param>
/// <param name="Socket">Under which name.</param>
/// <param name="Options">With which options of the runtime, for what brings none.</param>
internal sealed record ShimDuty(string Namespace, string Daemon, string Socket, Options Options);
