// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Shims;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Sandboxes;
using Containerd.Runtime.Sandbox.V1;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

/// <summary>One sandbox in a shim.</summary>
internal sealed class ShimSandbox(ShimConnection connection, SandboxClient client, LogPump pump, ShimSandboxer owner) : ISandbox
{
    private readonly string _id = connection.Bundle.Id;

    public string Address => connection.Address.EndPoint;

    public uint Version => (uint)connection.Address.Version;

    public Task Closed => connection.Closed;

    public async Task<SandboxStart> StartAsync(CancellationToken cancellationToken)
    {
        StartSandboxResponse started = await ShimSandboxer.While($"failed to start sandbox {_id}", client.StartAsync(cancellationToken)).ConfigureAwait(false);
        return new SandboxStart(started.Pid, ShimSandboxer.ToMoment(started.CreatedAt) ?? DateTimeOffset.UnixEpoch, ToValue(started.Spec));
    }

    public async Task<SandboxPlatform> PlatformAsync(CancellationToken cancellationToken)
    {
        PlatformResponse told = await ShimSandboxer.While("failed to get sandbox platform", client.PlatformAsync(cancellationToken)).ConfigureAwait(false);
        return new SandboxPlatform(told.Platform?.Os ?? "", told.Platform?.Architecture ?? "", told.Platform?.Variant ?? "");
    }

    public async Task StopAsync(uint timeoutSeconds, CancellationToken cancellationToken)
    {
        try
        {
            await client.StopAsync(timeoutSeconds, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind is not (ErrorKind.NotFound or ErrorKind.Unavailable))
        {
            throw new RefusedException(refused.Error.While("failed to stop sandbox"), refused);
        }
        catch (Exception e) when (e is RefusedException or ShimClosedException)
        {
            // What is not there is stopped.
        }
    }

    public async Task<SandboxExit> WaitAsync(CancellationToken cancellationToken)
    {
        WaitSandboxResponse ended = await ShimSandboxer.While($"failed to wait sandbox {_id}", client.WaitAsync(cancellationToken)).ConfigureAwait(false);
        return new SandboxExit(ended.ExitStatus, ShimSandboxer.ToMoment(ended.ExitedAt) ?? DateTimeOffset.UnixEpoch);
    }

    public async Task<SandboxStatus> StatusAsync(bool isVerbose, CancellationToken cancellationToken)
    {
        SandboxStatusResponse told = await ShimSandboxer.While(
            $"failed to query sandbox {_id} status", client.StatusAsync(isVerbose, cancellationToken)).ConfigureAwait(false);
        return new SandboxStatus(told.SandboxId)
        {
            Pid = told.Pid,
            State = told.State,
            Info = Labels.From(told.Info),
            CreatedAt = ShimSandboxer.ToMoment(told.CreatedAt),
            ExitedAt = ShimSandboxer.ToMoment(told.ExitedAt),
            Extra = ToValue(told.Extra),
            Address = Address,
            Version = Version,
        };
    }

    public async Task ShutdownAsync(CancellationToken cancellationToken)
    {
        try
        {
            await client.ShutdownAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refused)
        {
            throw new RefusedException(refused.Error.While("failed to shutdown sandbox"), refused);
        }

        await owner.CleanUpAsync(connection.Bundle.Namespace, _id, "", cancellationToken).ConfigureAwait(false);
    }

    public async Task<SandboxMetric> MetricsAsync(CancellationToken cancellationToken)
    {
        SandboxMetricsResponse told = await ShimSandboxer.While("failed to get sandbox metrics", client.MetricsAsync(cancellationToken)).ConfigureAwait(false);
        return new SandboxMetric(told.Metrics?.Id ?? "", ShimSandboxer.ToMoment(told.Metrics?.Timestamp), ToValue(told.Metrics?.Data));
    }

    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync().ConfigureAwait(false);
        await pump.DisposeAsync().ConfigureAwait(false);
    }

    private static AnyValue? ToValue(Any? any) => any is null ? null : new AnyValue(any.TypeUrl, any.Value.Memory);
}
