// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Shim.Containers;
using Containerd.Actors.Ttrpc;
using Containerd.Runc.V1;
using Containerd.Runtime.Task.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Serving;

/// <summary>The task API, versions 2 and 3, for the containers of this shim.</summary>
/// <param name="containers">The containers.</param>
/// <param name="isIdle">Whether nothing needs the shim: no container and no sandbox.</param>
/// <param name="started">Called when a process was started.</param>
/// <param name="end">Ends the shim.</param>
internal sealed class TaskService(ContainerTable containers, Func<bool> isIdle, Action started, Action end)
{
    private static readonly string[] Services = ["containerd.task.v2.Task", "containerd.task.v3.Task"];
    private static readonly Empty Done = new();

    /// <summary>Adds the methods to a table; both versions have the same messages.</summary>
    public void AddTo(TtrpcHandlers handlers)
    {
        foreach (string service in Services)
        {
            handlers
                .Add(service, "Create", CreateTaskRequest.Parser, (_, request) => CreateAsync(request))
                .Add(service, "Start", StartRequest.Parser, async (_, request) =>
                {
                    uint pid = await containers[request.Id].StartAsync(request.ExecId).ConfigureAwait(false);
                    started();
                    return new StartResponse { Pid = pid };
                })
                .Add(service, "Delete", DeleteRequest.Parser, (_, request) => DeleteAsync(request))
                .Add(service, "Exec", ExecProcessRequest.Parser, (_, request) => DoneAfter(() => containers[request.Id].Add(request)))
                .Add(service, "State", StateRequest.Parser, (_, request) => StateAsync(request))
                .Add(service, "Wait", WaitRequest.Parser, async (call, request) =>
                {
                    Ending ending = await containers[request.Id].Find(request.ExecId).Ended.WaitAsync(call.Cancellation).ConfigureAwait(false);
                    return new WaitResponse { ExitStatus = ending.Status, ExitedAt = ending.At };
                })
                .Add(service, "Kill", KillRequest.Parser, (_, request) => DoneAfter(containers[request.Id].KillAsync(request.ExecId, request.Signal, request.All)))
                .Add(service, "Pids", PidsRequest.Parser, (_, request) =>
                    Task.FromResult(new PidsResponse { Processes = { containers[request.Id].Processes() } }))
                .Add(service, "Pause", PauseRequest.Parser, (_, request) => DoneAfter(containers[request.Id].PauseAsync()))
                .Add(service, "Resume", ResumeRequest.Parser, (_, request) => DoneAfter(containers[request.Id].ResumeAsync()))
                .Add(service, "Checkpoint", CheckpointTaskRequest.Parser, (_, request) => DoneAfter(CheckpointAsync(request)))
                .Add(service, "Update", UpdateTaskRequest.Parser, (_, request) =>
                    DoneAfter(containers[request.Id].UpdateAsync(request.Resources?.Value ?? ByteString.Empty)))
                .Add(service, "ResizePty", ResizePtyRequest.Parser, (_, request) =>
                    DoneAfter(() => containers[request.Id].Find(request.ExecId).Resize(request.Width, request.Height)))
                .Add(service, "CloseIO", CloseIORequest.Parser, (_, request) => DoneAfter(() => containers[request.Id].Find(request.ExecId).CloseInput()))
                .Add(service, "Stats", StatsRequest.Parser, (_, request) => Task.FromResult(new StatsResponse { Stats = containers[request.Id].Metrics() }))
                .Add(service, "Connect", ConnectRequest.Parser, (_, request) => Task.FromResult(Connect(request)))
                .Add(service, "Shutdown", ShutdownRequest.Parser, (_, _) => ShutDownAsync());
        }
    }

    private async Task<CreateTaskResponse> CreateAsync(CreateTaskRequest request) =>
        new() { Pid = (await containers.CreateAsync(request).ConfigureAwait(false)).Init.Pid };

    private Task<DeleteResponse> DeleteAsync(DeleteRequest request) => request.ExecId.Length > 0
        ? containers[request.Id].DeleteExecAsync(request.ExecId)
        : containers.DeleteAsync(request.Id);

    private async Task<StateResponse> StateAsync(StateRequest request)
    {
        ShimContainer container = containers[request.Id];
        ShimProcess process = container.Find(request.ExecId);
        Ending ending = process.Ended.IsCompleted ? await process.Ended.ConfigureAwait(false) : Ending.Never;
        return new StateResponse
        {
            Id = process.Id,
            Bundle = container.Bundle,
            Pid = process.Pid,
            Status = container.StatusOf(process),
            Stdin = process.Stdio.Input,
            Stdout = process.Stdio.Output,
            Stderr = process.Stdio.Error,
            Terminal = process.Stdio.IsTerminal,
            ExitStatus = ending.Status,
            ExitedAt = ending.At ?? GoTime.Zero,
            ExecId = request.ExecId,
        };
    }

    private Task CheckpointAsync(CheckpointTaskRequest request) => containers[request.Id].CheckpointAsync(
        request.Path, request.Options is { } options ? CheckpointOptions.Parser.ParseFrom(options.Value) : new CheckpointOptions());

    private ConnectResponse Connect(ConnectRequest request) => new()
    {
        ShimPid = (uint)Environment.ProcessId,
        TaskPid = containers.TryFind(request.Id)?.Init.Pid ?? 0,
    };

    private async Task<Empty> ShutDownAsync()
    {
        // The daemon removes the bundle next, also where other members of a group keep the shim.
        await containers.Forgotten.ConfigureAwait(false);
        if (isIdle())
        {
            end();
        }

        return Done;
    }

    private static Task<Empty> DoneAfter(Action act)
    {
        act();
        return Task.FromResult(Done);
    }

    private static async Task<Empty> DoneAfter(Task act)
    {
        try
        {
            await act.ConfigureAwait(false);
            return Done;
        }
        catch (Exception failure) when (failure is LinuxException or IOException)
        {
            throw new TtrpcStatusException(TtrpcCode.Unknown, failure.Message);
        }
    }
}
