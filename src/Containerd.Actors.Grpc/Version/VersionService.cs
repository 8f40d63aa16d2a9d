// SPDX-License-Identifier: Apache-2.0

using Containerd.Services.Version.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Version;

/// <summary>The version of the daemon.</summary>
/// <param name="facts">What the daemon says of itself.</param>
public sealed class VersionService(Introspection.NodeFacts facts) : Services.Version.V1.Version.VersionBase
{
    /// <inheritdoc />
    public override Task<VersionResponse> Version(Empty request, ServerCallContext context) =>
        Task.FromResult(new VersionResponse { Version = facts.Version, Revision = facts.Revision });
}
