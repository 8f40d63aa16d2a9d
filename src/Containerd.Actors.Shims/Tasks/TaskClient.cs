// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Connections;
using Containerd.Runtime.Task.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shims.Tasks;

/// <summary>The task API of one shim for one task.</summary>
/// <remarks>
/// Versions 2 and 3 differ in the name of the service only; their messages are the same bytes. A shim that says it has
/// version 3 and does not know the service is asked under version 2 from then on. Each call may throw
/// <see cref="RefusedException"/> with the shim's own text, also when its time is up, and
/// <see cref="ShimClosedException"/> when the connection is lost.
/// </remarks>
public sealed class TaskClient
{
    private const string ServiceV2 = "containerd.task.v2.Task";
    private const string ServiceV3 = "containerd.task.v3.Task";

    private readonly IShimClient _client;
    private readonly string _id;
    private volatile string _service;

    internal TaskClient(IShimClient client, string id, int version)
    {
        (_client, _id) = (client, id);
        _service = version >= 3 ? ServiceV3 : ServiceV2;
    }

    /// <summary>The version in use, 2 or 3.</summary>
    public int Version => _service == ServiceV3 ? 3 : 2;

    /// <summary>Mounts the root file system and makes the container; its first process waits for <see cref="StartAsync"/>.</summary>
    public Task<CreateTaskResponse> CreateAsync(CreateTaskRequest request, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Create", request, CreateTaskResponse.Parser, timeout, cancellation);

    /// <summary>Starts the first process, or with an exec id an added one.</summary>
    public Task<StartResponse> StartAsync(string execId, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Start", new StartRequest { Id = _id, ExecId = execId }, StartResponse.Parser, timeout, cancellation);

    /// <summary>Removes a process that has exited or never ran; the first one takes the container with it.</summary>
    public Task<DeleteResponse> DeleteAsync(string execId, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Delete", new DeleteRequest { Id = _id, ExecId = execId }, DeleteResponse.Parser, timeout, cancellation);

    /// <summary>Adds a process, to be started later.</summary>
    public Task ExecAsync(ExecProcessRequest request, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Exec", request, Empty.Parser, timeout, cancellation);

    /// <summary>What is known about a process.</summary>
    public Task<StateResponse> StateAsync(string execId, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("State", new StateRequest { Id = _id, ExecId = execId }, StateResponse.Parser, timeout, cancellation);

    /// <summary>Answers when a process has exited; at once if it had. Give it a long time, or <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    public Task<WaitResponse> WaitAsync(string execId, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Wait", new WaitRequest { Id = _id, ExecId = execId }, WaitResponse.Parser, timeout, cancellation);

    /// <summary>Sends a signal to a process, or with <paramref name="all"/> to all of the container.</summary>
    public Task KillAsync(string execId, uint signal, bool all, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Kill", new KillRequest { Id = _id, ExecId = execId, Signal = signal, All = all }, Empty.Parser, timeout, cancellation);

    /// <summary>The processes of the container.</summary>
    public Task<PidsResponse> PidsAsync(TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Pids", new PidsRequest { Id = _id }, PidsResponse.Parser, timeout, cancellation);

    /// <summary>Freezes the container.</summary>
    public Task PauseAsync(TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Pause", new PauseRequest { Id = _id }, Empty.Parser, timeout, cancellation);

    /// <summary>Thaws the container.</summary>
    public Task ResumeAsync(TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Resume", new ResumeRequest { Id = _id }, Empty.Parser, timeout, cancellation);

    /// <summary>Sets the size of a process's terminal in characters; without one this does nothing.</summary>
    public Task ResizePtyAsync(string execId, uint width, uint height, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync(
            "ResizePty",
            new ResizePtyRequest { Id = _id, ExecId = execId, Width = width, Height = height },
            Empty.Parser,
            timeout,
            cancellation);

    /// <summary>Closes the shim's own writer of a process's standard input, so that it can see an end.</summary>
    public Task CloseIOAsync(string execId, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("CloseIO", new CloseIORequest { Id = _id, ExecId = execId, Stdin = true }, Empty.Parser, timeout, cancellation);

    /// <summary>Writes the container's state into a directory.</summary>
    public Task CheckpointAsync(CheckpointTaskRequest request, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Checkpoint", request, Empty.Parser, timeout, cancellation);

    /// <summary>Changes the container's limits.</summary>
    public Task UpdateAsync(UpdateTaskRequest request, TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Update", request, Empty.Parser, timeout, cancellation);

    /// <summary>The container's metrics.</summary>
    public Task<StatsResponse> StatsAsync(TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Stats", new StatsRequest { Id = _id }, StatsResponse.Parser, timeout, cancellation);

    /// <summary>A sign of life: the shim's own number and the first process's.</summary>
    public Task<ConnectResponse> ConnectAsync(TimeSpan timeout, CancellationToken cancellation = default) =>
        CallAsync("Connect", new ConnectRequest { Id = _id }, ConnectResponse.Parser, timeout, cancellation);

    /// <summary>Ends the shim, if it serves no other container; that the connection is lost over it is success.</summary>
    public async Task ShutdownAsync(bool now, TimeSpan timeout, CancellationToken cancellation = default)
    {
        try
        {
            await CallAsync("Shutdown", new ShutdownRequest { Id = _id, Now = now }, Empty.Parser, timeout, cancellation).ConfigureAwait(false);
        }
        catch (ShimClosedException)
        {
            // It ended before its answer was out, which is what was asked for.
        }
    }

    private async Task<TResponse> CallAsync<TRequest, TResponse>(
        string method, TRequest request, MessageParser<TResponse> parser, TimeSpan timeout, CancellationToken cancellation)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        TimeSpan? bound = timeout == Timeout.InfiniteTimeSpan ? null : timeout;
        var service = _service;
        try
        {
            return await _client.CallAsync(service, method, request, parser, bound, cancellation).ConfigureAwait(false);
        }
        catch (RefusedException unknown) when (service == ServiceV3 && unknown.Error.Kind == ErrorKind.NotImplemented)
        {
            // Nothing was carried out, so asking again is safe.
            var answer = await _client.CallAsync(ServiceV2, method, request, parser, bound, cancellation).ConfigureAwait(false);
            _service = ServiceV2;
            return answer;
        }
    }
}
