// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Services.Containers.V1;
using Containerd.Services.Sandbox.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Types;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>A client of sandboxes that shims of one runtime run.</summary>
internal sealed class PodClient(Machine machine, string runtime) : IDisposable
{
    public const string Shim = "shim";
    private readonly PodFiles _files = new();

    /// <summary>The daemon, also one that was started again.</summary>
    public ContainerdConnection Daemon { get; } = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace);

    /// <summary>A sandbox that runs; its number.</summary>
    public Task<uint> StartAsync(string id, bool hasProcess) => StartAsync(id, hasProcess ? [_files.Root] : []);

    /// <summary>A sandbox that runs on a root file system of its own; its number.</summary>
    public async Task<uint> StartAsync(string id, Mount[] rootfs)
    {
        Sandbox sandbox = new() { SandboxId = id, Sandboxer = Shim, Runtime = new Sandbox.Types.Runtime { Name = runtime }, Spec = PodFiles.Spec(id) };
        await Daemon.Sandboxes.CreateAsync(new StoreCreateRequest { Sandbox = sandbox });
        await Daemon.SandboxControllers.CreateAsync(new ControllerCreateRequest { SandboxId = id, Sandboxer = Shim, Sandbox = sandbox, Rootfs = { rootfs } });
        return (await Daemon.SandboxControllers.StartAsync(new ControllerStartRequest { SandboxId = id, Sandboxer = Shim })).Pid;
    }

    /// <summary>A task that runs in the sandbox; its number.</summary>
    public async Task<uint> JoinAsync(string id, string sandbox, params (string Name, string Value)[] annotations)
    {
        await Daemon.Containers.CreateAsync(new CreateContainerRequest
        {
            Container = new Container
            {
                Id = id, Sandbox = sandbox, Runtime = new Container.Types.Runtime { Name = runtime }, Spec = PodFiles.Spec(id, annotations),
            },
        });
        await Daemon.Tasks.CreateAsync(new CreateTaskRequest { ContainerId = id, Rootfs = { _files.Root } });
        return (await Daemon.Tasks.StartAsync(new StartRequest { ContainerId = id })).Pid;
    }

    public async Task RemoveAsync(string id)
    {
        await Daemon.Tasks.DeleteAsync(new DeleteTaskRequest { ContainerId = id });
        await Daemon.Containers.DeleteAsync(new DeleteContainerRequest { Id = id });
    }

    public async Task<ControllerStatusResponse> StatusAsync(string id) =>
        await Daemon.SandboxControllers.StatusAsync(new ControllerStatusRequest { SandboxId = id, Sandboxer = Shim, Verbose = true });

    public AsyncUnaryCall<ControllerWaitResponse> WaitAsync(string id) =>
        Daemon.SandboxControllers.WaitAsync(new ControllerWaitRequest { SandboxId = id, Sandboxer = Shim });

    public async Task StopAsync(string id) => await Daemon.SandboxControllers.StopAsync(new ControllerStopRequest { SandboxId = id, Sandboxer = Shim });

    /// <summary>Ends the sandbox and forgets it.</summary>
    public async Task ShutdownAsync(string id)
    {
        await Daemon.SandboxControllers.ShutdownAsync(new ControllerShutdownRequest { SandboxId = id, Sandboxer = Shim });
        await Daemon.Sandboxes.DeleteAsync(new StoreDeleteRequest { SandboxId = id });
    }

    public void Dispose()
    {
        Daemon.Dispose();
        _files.Dispose();
    }
}
