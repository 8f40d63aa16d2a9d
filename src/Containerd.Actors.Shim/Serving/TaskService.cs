// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Containers;
using Containerd.Actors.Shim.Events;
using Containerd.Actors.Shim.Starting;
using Containerd.Actors.Ttrpc;
using Containerd.Runc.V1;
using Containerd.Runtime.Task.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Serving;

/// <summary>The task API, versions 2 and 3, for the containers of this shim.</summary>
/// <param name="ns">The containerd namespace.</param>
/// <param name="children">Runs the OCI runtime.</param>
/// <param name="events">Tells the daemon.</param>
/// <param name="started">Called when a process was started.</param>
/// <param name="end">Ends the shim.</param>
internal sealed class TaskService(string ns, ChildProcesses children, EventPublisher events, Action started, Action end)
{
    private static readonly string[] Services = ["containerd.task.v2.Task", "containerd.task.v3.Task"];
    private static readonly Empty Done = new();
    private readonly ConcurrentDictionary<string, ShimContainer> _containers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> _creating = new(StringComparer.Ordinal);

    // Containers that are gone for every caller and not yet for the OCI runtime.
    private readonly ConcurrentDictionary<string, Task> _forgetting = new(StringComparer.Ordinal);

    /// <summary>Whether it serves no container and none is being made.</summary>
    public bool IsIdle => _containers.IsEmpty && _creating.IsEmpty;

    /// <summary>Completes when the OCI runtime has forgotten all containers that were deleted until now.</summary>
    public Task Forgotten => Task.WhenAll(_forgetting.Values);

    /// <summary>Adds the methods to a table; both versions have the same messages.</summary>
    public void AddTo(TtrpcHandlers handlers)
    {
        foreach (string service in Services)
        {
            handlers
                .Add(service, "Create", CreateTaskRequest.Parser, (_, request) => CreateAsync(request))
                .Add(service, "Start", StartRequest.Parser, async (_, request) =>
                {
                    uint pid = await Find(request.Id).StartAsync(request.ExecId).ConfigureAwait(false);
                    started();
                    return new StartResponse { Pid = pid };
                })
                .Add(service, "Delete", DeleteRequest.Parser, (_, request) => DeleteAsync(request))
                .Add(service, "Exec", ExecProcessRequest.Parser, (_, request) => DoneAfter(() => Find(request.Id).Add(request)))
                .Add(service, "State", StateRequest.Parser, (_, request) => StateAsync(request))
                .Add(service, "Wait", WaitRequest.Parser, async (call, request) =>
                {
                    Ending ending = await Find(request.Id).Find(request.ExecId).Ended.WaitAsync(call.Cancellation).ConfigureAwait(false);
                    return new WaitResponse { ExitStatus = ending.Status, ExitedAt = ending.At };
                })
                .Add(service, "Kill", KillRequest.Parser, (_, request) => DoneAfter(Find(request.Id).KillAsync(request.ExecId, request.Signal, request.All)))
                .Add(service, "Pids", PidsRequest.Parser, (_, request) =>
                    Task.FromResult(new PidsResponse { Processes = { Find(request.Id).Processes() } }))
                .Add(service, "Pause", PauseRequest.Parser, (_, request) => DoneAfter(Find(request.Id).PauseAsync()))
                .Add(service, "Resume", ResumeRequest.Parser, (_, request) => DoneAfter(Find(request.Id).ResumeAsync()))
                .Add(service, "Checkpoint", CheckpointTaskRequest.Parser, (_, request) => DoneAfter(CheckpointAsync(request)))
                .Add(service, "Update", UpdateTaskRequest.Parser, (_, request) =>
                    DoneAfter(Find(request.Id).UpdateAsync(request.Resources?.Value ?? ByteString.Empty)))
                .Add(service, "ResizePty", ResizePtyRequest.Parser, (_, request) =>
                    DoneAfter(() => Find(request.Id).Find(request.ExecId).Resize(request.Width, request.Height)))
                .Add(service, "CloseIO", CloseIORequest.Parser, (_, request) => DoneAfter(() => Find(request.Id).Find(request.ExecId).CloseInput()))
                .Add(service, "Stats", StatsRequest.Parser, (_, request) => Task.FromResult(new StatsResponse { Stats = Find(request.Id).Metrics() }))
                .Add(service, "Connect", ConnectRequest.Parser, (_, request) => Task.FromResult(Connect(request)))
                .Add(service, "Shutdown", ShutdownRequest.Parser, (_, _) => ShutDownAsync());
        }
    }

    private ShimContainer Find(string id) => _containers.TryGetValue(id, out ShimContainer? container)
        ? container
        : throw new TtrpcStatusException(TtrpcCode.NotFound, "container not created: not found");

    private async Task<CreateTaskResponse> CreateAsync(CreateTaskRequest request)
    {
        if (_containers.ContainsKey(request.Id) || !_creating.TryAdd(request.Id, 0))
        {
            throw new TtrpcStatusException(TtrpcCode.AlreadyExists, $"container {request.Id}: already exists");
        }

        try
        {
            if (_forgetting.TryGetValue(request.Id, out Task? forgetting))
            {
                await forgetting.ConfigureAwait(false);
            }

            ShimContainer container = await ShimContainer.CreateAsync(request, OptionsOf(request), ns, children, events).ConfigureAwait(false);
            _containers[request.Id] = container;
            return new CreateTaskResponse { Pid = container.Init.Pid };
        }
        catch (Exception failure) when (failure is LinuxException or IOException or FormatException)
        {
            throw new TtrpcStatusException(TtrpcCode.Unknown, failure.Message);
        }
        finally
        {
            _creating.TryRemove(request.Id, out _);
        }
    }

    private static Options OptionsOf(CreateTaskRequest request)
    {
        try
        {
            return StartInput.OptionsOf(request.Options);
        }
        catch (FormatException foreign)
        {
            throw new TtrpcStatusException(TtrpcCode.InvalidArgument, $"{foreign.Message}: invalid argument");
        }
    }

    private async Task<DeleteResponse> DeleteAsync(DeleteRequest request)
    {
        ShimContainer container = Find(request.Id);
        if (request.ExecId.Length > 0)
        {
            return await container.DeleteExecAsync(request.ExecId).ConfigureAwait(false);
        }

        DeleteResponse answer = await container.DeleteAsync().ConfigureAwait(false);
        if (!container.Forgotten.IsCompleted)
        {
            _forgetting[request.Id] = ForgetAsync(request.Id, container.Forgotten);
        }

        if (_containers.TryRemove(request.Id, out _))
        {
            container.Dispose();
        }

        return answer;
    }

    private async Task ForgetAsync(string id, Task forgotten)
    {
        await forgotten.ConfigureAwait(false);
        _forgetting.TryRemove(id, out _);
    }

    private async Task<StateResponse> StateAsync(StateRequest request)
    {
        ShimContainer container = Find(request.Id);
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

    private Task CheckpointAsync(CheckpointTaskRequest request) => Find(request.Id).CheckpointAsync(
        request.Path, request.Options is { } options ? CheckpointOptions.Parser.ParseFrom(options.Value) : new CheckpointOptions());

    private ConnectResponse Connect(ConnectRequest request) => new()
    {
        ShimPid = (uint)Environment.ProcessId,
        TaskPid = _containers.TryGetValue(request.Id, out ShimContainer? container) ? container.Init.Pid : 0,
    };

    private async Task<Empty> ShutDownAsync()
    {
        if (IsIdle)
        {
            await Forgotten.ConfigureAwait(false);
        }

        // Meanwhile another member of the group may have come.
        if (IsIdle)
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
