// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Containerd.Actors.Ttrpc;
using Containerd.Runtime.Task.V3;
using Containerd.V1.Types;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.PodShim;

/// <summary>What tests need of containerd.task.v3.Task.</summary>
internal static class TaskApi
{
    private const string Service = "containerd.task.v3.Task";
    private const string Frozen = "what is frozen";

    public static TtrpcHandlers AddTasks(this TtrpcHandlers handlers, Pod pod) => handlers
        .Add(Service, "Create", CreateTaskRequest.Parser, async (_, request) =>
        {
            if (request.Checkpoint.Length > 0 && await File.ReadAllTextAsync(Path.Combine(request.Checkpoint, "image")) != Frozen)
            {
                throw new TtrpcStatusException(TtrpcCode.InvalidArgument, $"{request.Checkpoint} holds no image");
            }

            await using FileStream config = File.OpenRead(Path.Combine(request.Bundle, "config.json"));
            using JsonDocument spec = await JsonDocument.ParseAsync(config);
            string[] arguments = [.. spec.RootElement.GetProperty("process").GetProperty("args").EnumerateArray().Select(each => each.GetString()!)];
            pod.Processes[request.Id] = new Held(arguments);
            return new CreateTaskResponse();
        })
        .Add(Service, "Start", StartRequest.Parser, (_, request) => Task.FromResult(new StartResponse { Pid = Of(pod, request.Id).Start() }))
        .Add(Service, "State", StateRequest.Parser, (_, request) => Task.FromResult(State(Of(pod, request.Id), request.Id)))
        .Add(Service, "Wait", WaitRequest.Parser, async (call, request) =>
        {
            (uint status, DateTime at) = await Of(pod, request.Id).Ended.WaitAsync(call.Cancellation);
            return new WaitResponse { ExitStatus = status, ExitedAt = Timestamp.FromDateTime(at) };
        })
        .Add(Service, "Kill", KillRequest.Parser, (_, request) =>
        {
            Of(pod, request.Id).Kill();
            return Task.FromResult(new Empty());
        })
        .Add(Service, "Delete", DeleteRequest.Parser, async (_, request) =>
        {
            Held held = Of(pod, request.Id);
            held.Kill();
            (uint status, DateTime at) = await held.Ended;
            pod.Processes.TryRemove(request.Id, out Held? _);
            return new DeleteResponse { Pid = held.Pid, ExitStatus = status, ExitedAt = Timestamp.FromDateTime(at) };
        })
        .Add(Service, "Checkpoint", CheckpointTaskRequest.Parser, async (_, request) =>
        {
            await File.WriteAllTextAsync(Path.Combine(request.Path, "image"), Frozen);
            return new Empty();
        })
        .Add(Service, "Connect", ConnectRequest.Parser, (_, request) => Task.FromResult(new ConnectResponse
        {
            ShimPid = (uint)Environment.ProcessId, TaskPid = pod.Processes.TryGetValue(request.Id, out Held? held) ? held.Pid : 0,
        }))
        .Add(Service, "Shutdown", ShutdownRequest.Parser, (_, _) =>
        {
            // Whoever asks this of a sandbox's shim takes the sandbox along.
            pod.End();
            return Task.FromResult(new Empty());
        });

    private static StateResponse State(Held held, string id)
    {
        StateResponse state = new()
        {
            Id = id, Pid = held.Pid, Status = held.IsRunning ? Status.Running : held.HasEnded ? Status.Stopped : Status.Created,
        };
        if (held.HasEnded)
        {
            (state.ExitStatus, state.ExitedAt) = (held.Ended.Result.Status, Timestamp.FromDateTime(held.Ended.Result.At));
        }

        return state;
    }

    private static Held Of(Pod pod, string id) =>
        pod.Processes.GetValueOrDefault(id) ?? throw new TtrpcStatusException(TtrpcCode.NotFound, "container not created");
}
