// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Services.Sandbox.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Types;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Sandboxes over the API, in a real shim with the sandbox API and held open by a container, across a kill of the daemon.</summary>
public sealed class SandboxSpecs(Machine machine) : IClassFixture<Machine>
{
    // The contract of a shim with the sandbox API, whoever wrote it and whatever it speaks.
    [SkippableTheory]
    [InlineData("containerd-shim-pod-v1", "ttrpc")]
    [InlineData("containerd-shim-grpcpod-v1", "grpc")]
    [InlineData("io.containerd.actors.v1", "ttrpc")]
    public async Task A_sandbox_and_the_task_that_joined_it_outlive_the_daemon_and_end_in_order(string shim, string protocol)
    {
        Skip.IfNot(Repository.MissingShim.Length == 0, Repository.MissingShim);
        using PodClient pods = new(machine, RuntimeOf(shim));
        uint pid = await pods.StartAsync("pod", hasProcess: true);
        Assert.NotEqual(0u, pid);
        uint joined = await pods.JoinAsync("joined", "pod");
        Assert.Single(machine.Shims("pod"));
        Assert.Empty(machine.Shims("joined"));

        await machine.KillDaemonAsync();
        await machine.StartDaemonAsync();
        ControllerStatusResponse status = await pods.StatusAsync("pod");
        Assert.Equal(("SANDBOX_READY", pid, "joined"), (status.State, status.Pid, status.Info["tasks"]));
        Assert.StartsWith($"{protocol}+unix://", status.Address, StringComparison.Ordinal);
        Assert.Equal("linux", (await pods.Daemon.SandboxControllers.PlatformAsync(new ControllerPlatformRequest { SandboxId = "pod", Sandboxer = PodClient.Shim })).Platform.Os);
        Assert.Equal("pod", (await pods.Daemon.SandboxControllers.MetricsAsync(new ControllerMetricsRequest { SandboxId = "pod", Sandboxer = PodClient.Shim })).Metrics.Id);
        Assert.Equal("pod", Assert.Single((await pods.Daemon.Sandboxes.ListAsync(new StoreListRequest())).List).SandboxId);
        AsyncUnaryCall<WaitResponse> ended = pods.Daemon.Tasks.WaitAsync(new WaitRequest { ContainerId = "joined" });
        await pods.Daemon.Tasks.KillAsync(new KillRequest { ContainerId = "joined", Signal = 9 });
        Assert.Equal(137u, (await ended).ExitStatus);
        await pods.RemoveAsync("joined");
        Assert.False(Directory.Exists($"/proc/{joined}"));
        Assert.False(Directory.Exists("/run/containerd/runc/default/joined"));
        await EndAsync(pods.Daemon, "pod", PodClient.Shim, pid);
        await pods.Daemon.Sandboxes.DeleteAsync(new StoreDeleteRequest { SandboxId = "pod" });
        Assert.Empty(machine.Shims("pod"));
        Assert.DoesNotContain(machine.Mounts(), mount => mount.Contains("/pod/", StringComparison.Ordinal));
    }

    // The pod shim knows by its name what to speak; what it needs lies beside it.
    private static string RuntimeOf(string shim)
    {
        const string Pod = "containerd-shim-pod-v1";
        if (!shim.StartsWith("containerd-shim-", StringComparison.Ordinal))
        {
            return shim;
        }

        string path = Path.Combine(AppContext.BaseDirectory, shim);
        if (shim != Pod)
        {
            File.Copy(Path.Combine(AppContext.BaseDirectory, Pod), path, overwrite: true);
        }

        return path;
    }

    [SkippableFact]
    public async Task A_pod_sandbox_is_held_open_by_a_container_across_a_kill_of_the_daemon()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        const string Pod = "podsandbox";
        using PodFiles files = new();
        uint pid;
        using (ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace))
        {
            await daemon.SandboxControllers.CreateAsync(new ControllerCreateRequest
            {
                SandboxId = "held",
                Sandboxer = Pod,
                Sandbox = new Sandbox { SandboxId = "held", Spec = PodFiles.Spec("held") },
                Rootfs = { files.Root },
            });
            pid = (await daemon.SandboxControllers.StartAsync(new ControllerStartRequest { SandboxId = "held", Sandboxer = Pod })).Pid;
        }

        await machine.KillDaemonAsync();
        await machine.StartDaemonAsync();
        using (ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace))
        {
            ControllerStatusResponse status = await daemon.SandboxControllers.StatusAsync(new ControllerStatusRequest { SandboxId = "held", Sandboxer = Pod });
            Assert.Equal(("SANDBOX_READY", pid), (status.State, status.Pid));
            Assert.Equal("linux", (await daemon.SandboxControllers.PlatformAsync(new ControllerPlatformRequest { SandboxId = "held", Sandboxer = Pod })).Platform.Os);
            Assert.Equal("held", (await daemon.SandboxControllers.MetricsAsync(new ControllerMetricsRequest { SandboxId = "held", Sandboxer = Pod })).Metrics.Id);
            await EndAsync(daemon, "held", Pod, pid);
            Assert.DoesNotContain("held", (await machine.CtrAsync("container", "ls", "-q")).Output.Split('\n'));
        }

        Assert.DoesNotContain(machine.Mounts(), mount => mount.Contains("/held/", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task What_a_controller_refuses_it_refuses_in_the_words_of_containerd()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace);
        Assert.Equal(
            (StatusCode.InvalidArgument, "invalid argument: sandbox controller name can not be empty"),
            await RefusalAsync(daemon.SandboxControllers.StopAsync(new ControllerStopRequest { SandboxId = "x" })));
        Assert.Equal(
            (StatusCode.NotFound, "not found: failed to get sandbox controller by vm"),
            await RefusalAsync(daemon.SandboxControllers.StopAsync(new ControllerStopRequest { SandboxId = "x", Sandboxer = "vm" })));
        Assert.Equal(
            (StatusCode.Unknown, "no runtime name"),
            await RefusalAsync(daemon.SandboxControllers.CreateAsync(new ControllerCreateRequest { SandboxId = "x", Sandboxer = "shim" })));
        Assert.Equal(
            (StatusCode.NotFound, "bucket \"x\" not found: not found"),
            await RefusalAsync(daemon.Sandboxes.GetAsync(new StoreGetRequest { SandboxId = "x" })));
        Assert.Equal("x", (await daemon.SandboxControllers.StatusAsync(new ControllerStatusRequest { SandboxId = "x", Sandboxer = "shim" })).SandboxId);
    }

    private static async Task EndAsync(ContainerdConnection daemon, string id, string sandboxer, uint pid)
    {
        AsyncUnaryCall<ControllerWaitResponse> ended = daemon.SandboxControllers.WaitAsync(new ControllerWaitRequest { SandboxId = id, Sandboxer = sandboxer });
        await daemon.SandboxControllers.StopAsync(new ControllerStopRequest { SandboxId = id, Sandboxer = sandboxer, TimeoutSecs = 5 });
        Assert.Equal(137u, (await ended).ExitStatus);
        Assert.False(Directory.Exists($"/proc/{pid}"));
        await daemon.SandboxControllers.ShutdownAsync(new ControllerShutdownRequest { SandboxId = id, Sandboxer = sandboxer });
        Assert.Equal(StatusCode.NotFound, (await RefusalAsync(
            daemon.SandboxControllers.WaitAsync(new ControllerWaitRequest { SandboxId = id, Sandboxer = sandboxer }))).Code);
    }

    private static async Task<(StatusCode Code, string Text)> RefusalAsync<T>(AsyncUnaryCall<T> call)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        return (refused.StatusCode, refused.Status.Detail);
    }
}
