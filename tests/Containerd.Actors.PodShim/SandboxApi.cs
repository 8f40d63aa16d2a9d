// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Ttrpc;
using Containerd.Runtime.Sandbox.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.PodShim;

/// <summary>containerd.runtime.sandbox.v1.Sandbox.</summary>
internal static class SandboxApi
{
    private const string Service = "containerd.runtime.sandbox.v1.Sandbox";

    public static TtrpcHandlers AddSandbox(this TtrpcHandlers handlers, Pod pod) => handlers
        .Add(Service, "CreateSandbox", CreateSandboxRequest.Parser, (_, request) => Task.FromResult(Create(pod, request)))
        .Add(Service, "StartSandbox", StartSandboxRequest.Parser, (_, _) => Task.FromResult(Start(pod)))
        .Add(Service, "Platform", PlatformRequest.Parser, (_, _) => Task.FromResult(new PlatformResponse
        {
            Platform = new Platform { Os = "linux", Architecture = RuntimeInformation.OSArchitecture == Architecture.X64 ? "amd64" : "arm64" },
        }))
        .Add(Service, "StopSandbox", StopSandboxRequest.Parser, async (_, _) => await StopAsync(pod))
        .Add(Service, "WaitSandbox", WaitSandboxRequest.Parser, async (call, _) =>
        {
            (uint status, DateTime at) = await Of(pod).Ended.WaitAsync(call.Cancellation);
            return new WaitSandboxResponse { ExitStatus = status, ExitedAt = Timestamp.FromDateTime(at) };
        })
        .Add(Service, "SandboxStatus", SandboxStatusRequest.Parser, (_, request) => Task.FromResult(Status(pod, request)))
        .Add(Service, "PingSandbox", PingRequest.Parser, (_, _) => Task.FromResult(new PingResponse()))
        .Add(Service, "ShutdownSandbox", ShutdownSandboxRequest.Parser, (_, _) =>
        {
            pod.End();
            return Task.FromResult(new ShutdownSandboxResponse());
        })
        .Add(Service, "SandboxMetrics", SandboxMetricsRequest.Parser, (_, request) => Task.FromResult(new SandboxMetricsResponse
        {
            Metrics = new Metric { Id = request.SandboxId, Timestamp = Timestamp.FromDateTime(DateTime.UtcNow), Data = new Any { TypeUrl = "pod.Metrics" } },
        }));

    private static CreateSandboxResponse Create(Pod pod, CreateSandboxRequest request)
    {
        if (request.Annotations.TryGetValue("refuse", out string? what) && what == "create")
        {
            throw new TtrpcStatusException(TtrpcCode.InvalidArgument, "this pod refuses to be created");
        }

        (pod.RefusesStart, pod.Sandbox, pod.CreatedAt) = (what == "start", new Held(["/bin/sleep", "600"]), DateTime.UtcNow);
        return new CreateSandboxResponse();
    }

    private static StartSandboxResponse Start(Pod pod) => pod.RefusesStart
        ? throw new TtrpcStatusException(TtrpcCode.Unknown, "this pod refuses to be started")
        : new StartSandboxResponse { Pid = Of(pod).Start(), CreatedAt = Timestamp.FromDateTime(pod.CreatedAt) };

    private static async Task<StopSandboxResponse> StopAsync(Pod pod)
    {
        Of(pod).Kill();
        await Of(pod).Ended;
        return new StopSandboxResponse();
    }

    private static SandboxStatusResponse Status(Pod pod, SandboxStatusRequest request)
    {
        SandboxStatusResponse status = new()
        {
            SandboxId = request.SandboxId,
            Pid = pod.Sandbox?.Pid ?? 0,
            State = pod.Sandbox is { IsRunning: true } ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
            CreatedAt = Timestamp.FromDateTime(pod.CreatedAt),
        };
        if (request.Verbose)
        {
            status.Info.Add("tasks", string.Join(',', pod.Processes.Keys.Order()));
        }

        return status;
    }

    private static Held Of(Pod pod) => pod.Sandbox ?? throw new TtrpcStatusException(TtrpcCode.NotFound, "the pod was not created");
}
