// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Services.Containers.V1;
using Containerd.Services.Sandbox.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Sandboxes over the API, in a real shim with the sandbox API and held open by a container, across a kill of the daemon.</summary>
public sealed class SandboxSpecs(Machine machine) : IClassFixture<Machine>
{
    private const string SpecType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
    private static readonly string PodShim = Path.Combine(AppContext.BaseDirectory, "containerd-shim-pod-v1");

    [SkippableFact]
    public Task A_sandbox_and_the_task_that_joined_it_outlive_the_daemon_and_end_in_order() => LiveAsync(PodShim, "ttrpc");

    [SkippableFact]
    public async Task A_shim_that_speaks_gRPC_serves_as_any_other()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);

        // The pod shim knows by its name what to speak; what it needs lies beside it.
        string shim = Path.Combine(AppContext.BaseDirectory, "containerd-shim-grpcpod-v1");
        File.Copy(PodShim, shim, overwrite: true);
        await LiveAsync(shim, "grpc");
    }

    private async Task LiveAsync(string shim, string protocol)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        const string Shim = "shim";
        uint pid;
        using (ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace))
        {
            Sandbox pod = new() { SandboxId = "pod", Sandboxer = Shim, Runtime = new Sandbox.Types.Runtime { Name = shim } };
            await daemon.Sandboxes.CreateAsync(new StoreCreateRequest { Sandbox = pod });
            await daemon.SandboxControllers.CreateAsync(new ControllerCreateRequest { SandboxId = "pod", Sandboxer = Shim, Sandbox = pod });
            pid = (await daemon.SandboxControllers.StartAsync(new ControllerStartRequest { SandboxId = "pod", Sandboxer = Shim })).Pid;
            await daemon.Containers.CreateAsync(new CreateContainerRequest
            {
                Container = new Container
                {
                    Id = "joined",
                    Sandbox = "pod",
                    Runtime = new Container.Types.Runtime { Name = shim },
                    Spec = Spec("{\"process\":{\"args\":[\"/bin/sleep\",\"600\"]}}"),
                },
            });
            await daemon.Tasks.CreateAsync(new CreateTaskRequest { ContainerId = "joined" });
            await daemon.Tasks.StartAsync(new StartRequest { ContainerId = "joined" });
            Assert.Single(machine.Shims("pod"));
            Assert.Empty(machine.Shims("joined"));
        }

        await machine.KillDaemonAsync();
        await machine.StartDaemonAsync();
        using (ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace))
        {
            ControllerStatusResponse status = await daemon.SandboxControllers.StatusAsync(
                new ControllerStatusRequest { SandboxId = "pod", Sandboxer = Shim, Verbose = true });
            Assert.Equal(("SANDBOX_READY", pid, "joined"), (status.State, status.Pid, status.Info["tasks"]));
            Assert.StartsWith($"{protocol}+unix://", status.Address, StringComparison.Ordinal);
            Assert.Equal("pod", Assert.Single((await daemon.Sandboxes.ListAsync(new StoreListRequest())).List).SandboxId);
            AsyncUnaryCall<WaitResponse> ended = daemon.Tasks.WaitAsync(new WaitRequest { ContainerId = "joined" });
            await daemon.Tasks.KillAsync(new KillRequest { ContainerId = "joined", Signal = 9 });
            Assert.Equal(137u, (await ended).ExitStatus);
            await daemon.Tasks.DeleteAsync(new DeleteTaskRequest { ContainerId = "joined" });
            await daemon.Containers.DeleteAsync(new DeleteContainerRequest { Id = "joined" });
            await EndAsync(daemon, "pod", Shim, pid);
            await daemon.Sandboxes.DeleteAsync(new StoreDeleteRequest { SandboxId = "pod" });
        }

        Assert.Empty(machine.Shims("pod"));
    }

    [SkippableFact]
    public async Task A_pod_sandbox_is_held_open_by_a_container_across_a_kill_of_the_daemon()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        const string Pod = "podsandbox";
        string rootfs = Directory.CreateTempSubdirectory("pause-").FullName;
        foreach (string directory in new[] { "bin", "proc", "dev" })
        {
            Directory.CreateDirectory(Path.Combine(rootfs, directory));
        }

        File.Copy("/bin/busybox", Path.Combine(rootfs, "bin", "sleep"));
        uint pid;
        using (ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace))
        {
            await daemon.SandboxControllers.CreateAsync(new ControllerCreateRequest
            {
                SandboxId = "held",
                Sandboxer = Pod,
                Sandbox = new Sandbox { SandboxId = "held", Spec = Spec(PauseSpec) },
                Rootfs = { new Mount { Type = "bind", Source = rootfs, Options = { "rbind", "ro" } } },
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
        Directory.Delete(rootfs, recursive: true);
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

    private const string PauseSpec = """
        {"ociVersion":"1.0.2","process":{"cwd":"/","args":["/bin/sleep","600"],"user":{"uid":0,"gid":0}},"root":{"path":"rootfs","readonly":true},
        "mounts":[{"destination":"/proc","type":"proc","source":"proc"},{"destination":"/dev","type":"tmpfs","source":"tmpfs"}],
        "linux":{"cgroupsPath":"/actors-held","namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"}]}}
        """;

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

    private static Any Spec(string json) => new() { TypeUrl = SpecType, Value = ByteString.CopyFromUtf8(json) };
}
