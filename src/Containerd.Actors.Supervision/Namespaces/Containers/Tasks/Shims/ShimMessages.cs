// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>A request for the shim; the number comes back with the answer. 0: nobody waits.</summary>
internal sealed record ShimCall(long Number, ShimRequest Request);

/// <summary>The answer to a <see cref="ShimCall"/>.</summary>
internal sealed record ShimAnswer(long Number, ShimSignal Signal);

/// <summary>The shim's actor was started anew and knows nothing; what was asked of it is not answered any more.</summary>
internal sealed record ShimRestarted;

/// <summary>The shim does not answer; it is asked again and again, but nobody should wait for it.</summary>
internal sealed record ShimUnreachable(Error Error);
