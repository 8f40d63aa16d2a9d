// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Sandbox.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Sandboxes;

/// <summary>containerd.services.sandbox.v1.Controller.</summary>
public sealed class SandboxControllerService(Tree tree) : Controller.ControllerBase
{
    /// <inheritdoc />
    public override async Task<ControllerCreateResponse> Create(ControllerCreateRequest request, ServerCallContext context)
    {
        SandboxControl.Create create = new(context.Namespace(), request.SandboxId, request.Sandboxer, context.Caller())
        {
            Sandbox = request.Sandbox is null ? null : WireSandboxes.FromWire(request.Sandbox),
            Rootfs = [.. request.Rootfs.Select(mount => new RootfsMount(mount.Type, mount.Source, mount.Target, [.. mount.Options]))],
            Options = request.Options.ToValue(),
            NetworkNamespace = request.NetnsPath,
            Annotations = Labels.From(request.Annotations),
        };
        await tree.AwaitAsync(create, context.CancellationToken).ConfigureAwait(false);
        return new ControllerCreateResponse { SandboxId = request.SandboxId };
    }

    /// <summary>Starts a sandbox; where its task API is reached is in its status, as in containerd.</summary>
    public override async Task<ControllerStartResponse> Start(ControllerStartRequest request, ServerCallContext context)
    {
        SandboxControl.Start start = new(context.Namespace(), request.SandboxId, request.Sandboxer, context.Caller());
        SandboxStart started = await tree.AwaitAsync(start, context.CancellationToken).ConfigureAwait(false);
        return new ControllerStartResponse
        {
            SandboxId = request.SandboxId, Pid = started.Pid, CreatedAt = Timestamp.FromDateTimeOffset(started.CreatedAt),
        };
    }

    /// <inheritdoc />
    public override async Task<ControllerPlatformResponse> Platform(ControllerPlatformRequest request, ServerCallContext context)
    {
        SandboxControl.Platform platform = new(context.Namespace(), request.SandboxId, request.Sandboxer, context.Caller());
        SandboxPlatform told = await tree.AwaitAsync(platform, context.CancellationToken).ConfigureAwait(false);
        return new ControllerPlatformResponse { Platform = new Platform { Os = told.Os, Architecture = told.Architecture, Variant = told.Variant } };
    }

    /// <inheritdoc />
    public override async Task<ControllerStopResponse> Stop(ControllerStopRequest request, ServerCallContext context)
    {
        SandboxControl.Stop stop = new(context.Namespace(), request.SandboxId, request.Sandboxer, request.TimeoutSecs, context.Caller());
        await tree.AwaitAsync(stop, context.CancellationToken).ConfigureAwait(false);
        return new ControllerStopResponse();
    }

    /// <inheritdoc />
    public override async Task<ControllerWaitResponse> Wait(ControllerWaitRequest request, ServerCallContext context)
    {
        SandboxControl.Wait wait = new(context.Namespace(), request.SandboxId, request.Sandboxer, context.Caller());
        SandboxExit exit = await tree.AwaitAsync(wait, context.CancellationToken).ConfigureAwait(false);
        return new ControllerWaitResponse { ExitStatus = exit.Status, ExitedAt = Timestamp.FromDateTimeOffset(exit.ExitedAt) };
    }

    /// <inheritdoc />
    public override async Task<ControllerStatusResponse> Status(ControllerStatusRequest request, ServerCallContext context)
    {
        SandboxControl.Status status = new(context.Namespace(), request.SandboxId, request.Sandboxer, request.Verbose, context.Caller());
        SandboxStatus told = await tree.AwaitAsync(status, context.CancellationToken).ConfigureAwait(false);
        return new ControllerStatusResponse
        {
            SandboxId = told.SandboxId,
            Pid = told.Pid,
            State = told.State,
            Info = { told.Info },
            CreatedAt = told.CreatedAt.ToTimestamp(),
            ExitedAt = told.ExitedAt.ToTimestamp(),
            Extra = told.Extra.ToAny() ?? new Any(),
            Address = told.Address,
            Version = told.Version,
        };
    }

    /// <inheritdoc />
    public override async Task<ControllerShutdownResponse> Shutdown(ControllerShutdownRequest request, ServerCallContext context)
    {
        SandboxControl.Shutdown shutdown = new(context.Namespace(), request.SandboxId, request.Sandboxer, context.Caller());
        await tree.AwaitAsync(shutdown, context.CancellationToken).ConfigureAwait(false);
        return new ControllerShutdownResponse();
    }

    /// <inheritdoc />
    public override async Task<ControllerMetricsResponse> Metrics(ControllerMetricsRequest request, ServerCallContext context)
    {
        SandboxControl.Metrics metrics = new(context.Namespace(), request.SandboxId, request.Sandboxer, context.Caller());
        SandboxMetric told = await tree.AwaitAsync(metrics, context.CancellationToken).ConfigureAwait(false);
        return new ControllerMetricsResponse
        {
            Metrics = new Metric { Id = told.Id, Timestamp = told.At.ToTimestamp(), Data = told.Data.ToAny() },
        };
    }

    /// <inheritdoc />
    public override async Task<ControllerUpdateResponse> Update(ControllerUpdateRequest request, ServerCallContext context)
    {
        if (request.Sandbox is null)
        {
            throw new RefusedException(Error.Unknown("sandbox can not be nil"));
        }

        SandboxControl.Update update = new(
            context.Namespace(), request.SandboxId, request.Sandboxer, WireSandboxes.FromWire(request.Sandbox), [.. request.Fields], context.Caller());
        await tree.AwaitAsync(update, context.CancellationToken).ConfigureAwait(false);
        return new ControllerUpdateResponse();
    }
}
