// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Containers;
using Containerd.Actors.Shim.Sandboxes;
using Containerd.Actors.Ttrpc;
using Containerd.Runc.V1;
using Containerd.Runtime.Sandbox.V1;
using Containerd.Runtime.Task.V3;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Serving;

/// <summary>The sandbox API, for the one sandbox that this shim may hold.</summary>
/// <param name="ns">The containerd namespace.</param>
/// <param name="options">The runtime's options, as the daemon gave them when it started the shim.</param>
/// <param name="children">Runs the OCI runtime.</param>
/// <param name="containers">The containers of the shim, which are those of the sandbox.</param>
/// <param name="started">Called when a process was started.</param>
/// <param name="end">Ends the shim.</param>
internal sealed class SandboxService(
    string ns, Options options, ChildProcesses children, ContainerTable containers, Action started, Action end) : IDisposable
{
    private const string Service = "containerd.runtime.sandbox.v1.Sandbox";
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(10);

    // Held while the sandbox is made, started or removed. Ending it needs no gate, and may be what lets a start return.
    private readonly SemaphoreSlim _gate = new(1, 1);
    private ShimSandbox? _sandbox;

    /// <summary>Whether there is a sandbox, or one is being made or removed.</summary>
    public bool IsThere => _sandbox is not null || _gate.CurrentCount == 0;

    /// <summary>Adds the methods to a table.</summary>
    public void AddTo(TtrpcHandlers handlers) => handlers
        .Add(Service, "CreateSandbox", CreateSandboxRequest.Parser, (_, request) => GatedAsync(() => CreateAsync(request)))
        .Add(Service, "StartSandbox", StartSandboxRequest.Parser, (_, request) => GatedAsync(() => StartAsync(request.SandboxId)))
        .Add(Service, "Platform", PlatformRequest.Parser, (_, _) => Task.FromResult(new PlatformResponse { Platform = Host }))
        .Add(Service, "StopSandbox", StopSandboxRequest.Parser, async (_, request) =>
        {
            await EndAsync(Find(SandboxCall.Stop, request.SandboxId)!, request.TimeoutSecs).ConfigureAwait(false);
            return new StopSandboxResponse();
        })
        .Add(Service, "WaitSandbox", WaitSandboxRequest.Parser, async (call, request) =>
        {
            Ending ending = await Find(SandboxCall.Wait, request.SandboxId)!.Ended.WaitAsync(call.Cancellation).ConfigureAwait(false);
            return new WaitSandboxResponse { ExitStatus = ending.Status, ExitedAt = ending.At };
        })
        .Add(Service, "SandboxStatus", SandboxStatusRequest.Parser, (_, request) =>
            StatusAsync(Find(SandboxCall.Status, request.SandboxId)!, request.Verbose))
        .Add(Service, "PingSandbox", PingRequest.Parser, (_, request) =>
        {
            Find(SandboxCall.Ping, request.SandboxId);
            return Task.FromResult(new PingResponse());
        })
        .Add(Service, "ShutdownSandbox", ShutdownSandboxRequest.Parser, (_, request) => ShutDownAsync(request.SandboxId))
        .Add(Service, "SandboxMetrics", SandboxMetricsRequest.Parser, (_, request) =>
            Task.FromResult(Metrics(Find(SandboxCall.Metrics, request.SandboxId)!)));

    /// <inheritdoc />
    public void Dispose() => _gate.Dispose();

    // As Go names them.
    private static Platform Host => new()
    {
        Os = "linux",
        Architecture = RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => "amd64",
            Architecture.X86 => "386",
            Architecture.Arm64 => "arm64",
            Architecture.Arm or Architecture.Armv6 => "arm",
            Architecture other => other.ToString().ToLowerInvariant(),
        },
    };

    private ShimSandbox? Find(SandboxCall call, string id)
    {
        ShimSandbox? sandbox = _sandbox?.Id == id ? _sandbox : null;
        return SandboxRules.Refusal(call, sandbox?.Phase ?? SandboxPhase.Absent, id) is { } refusal ? throw refusal : sandbox;
    }

    // A container runs the process that a sandbox was given together with a root file system; either alone is no container.
    private async Task<CreateSandboxResponse> CreateAsync(CreateSandboxRequest request)
    {
        Find(SandboxCall.Create, request.SandboxId);
        if (_sandbox is { } other)
        {
            throw SandboxRules.Precondition($"cannot create sandbox {request.SandboxId}: this shim is that of sandbox {other.Id}");
        }

        string bundle = request.BundlePath.Length > 0 ? request.BundlePath : Directory.GetCurrentDirectory();
        ShimContainer? container = null;
        if (request.Rootfs.Count > 0 && BundleConfig.Read(bundle).HasProcess)
        {
            // No task stands for it, so no task's events are told of it.
            CreateTaskRequest create = new() { Id = request.SandboxId, Bundle = bundle, Rootfs = { request.Rootfs } };
            container = await ShimContainer.CreateAsync(create, options, ns, children, (_, _) => { }).ConfigureAwait(false);
        }

        containers.RecordIn(new SandboxMembers(bundle));
        _sandbox = new ShimSandbox(request.SandboxId, container);
        return new CreateSandboxResponse();
    }

    private async Task<StartSandboxResponse> StartAsync(string id)
    {
        ShimSandbox sandbox = Find(SandboxCall.Start, id)!;
        await sandbox.StartAsync().ConfigureAwait(false);
        started();
        return new StartSandboxResponse { Pid = sandbox.Pid, CreatedAt = sandbox.CreatedAt };
    }

    private async Task EndAsync(ShimSandbox sandbox, uint seconds)
    {
        TimeSpan limit = seconds > 0 ? TimeSpan.FromSeconds(seconds) : EndTimeout;
        using CancellationTokenSource impatience = new(limit);
        try
        {
            await Task.WhenAll(containers.EndAllAsync(impatience.Token), sandbox.EndAsync(impatience.Token)).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new TtrpcStatusException(
                TtrpcCode.DeadlineExceeded, $"sandbox {sandbox.Id} did not end within {limit.TotalSeconds:0} s: deadline exceeded");
        }
        catch (Exception failure) when (IsOfWorld(failure))
        {
            throw new TtrpcStatusException(TtrpcCode.Unknown, failure.Message);
        }
    }

    private async Task<SandboxStatusResponse> StatusAsync(ShimSandbox sandbox, bool isVerbose)
    {
        SandboxPhase phase = sandbox.Phase;
        SandboxStatusResponse status = new()
        {
            SandboxId = sandbox.Id,
            Pid = sandbox.Pid,
            State = SandboxRules.StateOf(phase),
            CreatedAt = sandbox.CreatedAt,
            ExitedAt = phase == SandboxPhase.Ended ? (await sandbox.Ended.ConfigureAwait(false)).At : null,
        };
        if (isVerbose)
        {
            status.Info.Add("tasks", string.Join(',', containers.Ids));
        }

        return status;
    }

    private static SandboxMetricsResponse Metrics(ShimSandbox sandbox) => new()
    {
        Metrics = sandbox.Metrics() is { } used
            ? new Metric { Id = sandbox.Id, Timestamp = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()), Data = used }
            : null,
    };

    private async Task<ShutdownSandboxResponse> ShutDownAsync(string id)
    {
        if (Find(SandboxCall.Shutdown, id) is { } sandbox)
        {
            await EndAsync(sandbox, 0).ConfigureAwait(false);
        }

        return await GatedAsync(async () =>
        {
            // Whoever asked at the same time was faster.
            if (Find(SandboxCall.Shutdown, id) is { } ended)
            {
                await containers.CloseAsync(CancellationToken.None).ConfigureAwait(false);
                await ended.RemoveAsync().ConfigureAwait(false);
                _sandbox = null;
            }

            // A daemon that could not make the sandbox asks for this too.
            if (_sandbox is null && containers.IsEmpty)
            {
                end();
            }

            return new ShutdownSandboxResponse();
        }).ConfigureAwait(false);
    }

    private async Task<T> GatedAsync<T>(Func<Task<T>> act)
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            return await act().ConfigureAwait(false);
        }
        catch (Exception failure) when (IsOfWorld(failure))
        {
            throw new TtrpcStatusException(TtrpcCode.Unknown, failure.Message);
        }
        finally
        {
            _gate.Release();
        }
    }

    private static bool IsOfWorld(Exception failure) => failure is LinuxException or IOException or FormatException or UnauthorizedAccessException;
}
