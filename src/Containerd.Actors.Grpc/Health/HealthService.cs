// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Health.V1;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Health;

/// <summary>The standard health service. The daemon is serving as soon as it answers, for there is nothing it waits for after that.</summary>
public sealed class HealthService : Containerd.Health.V1.Health.HealthBase
{
    /// <inheritdoc />
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        request.Service.Length == 0
            ? Task.FromResult(Serving)
            : throw new RefusedException(Error.Bare(ErrorKind.NotFound, "unknown service"));

    /// <inheritdoc />
    public override Task<HealthListResponse> List(HealthListRequest request, ServerCallContext context) =>
        Task.FromResult(new HealthListResponse { Statuses = { [""] = Serving } });

    /// <inheritdoc />
    public override async Task Watch(
        HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        // gRPC health checking protocol: an unknown service is told as such and watched on, since it may appear.
        HealthCheckResponse answer = request.Service.Length == 0
            ? Serving
            : new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.ServiceUnknown };
        await responseStream.WriteAsync(answer, context.CancellationToken).ConfigureAwait(false);
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = context.CancellationToken.Register(ended.SetResult);
        await ended.Task.ConfigureAwait(false);
    }

    private static HealthCheckResponse Serving { get; } = new() { Status = HealthCheckResponse.Types.ServingStatus.Serving };
}
