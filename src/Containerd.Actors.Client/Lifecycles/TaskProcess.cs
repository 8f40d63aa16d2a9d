// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Services.Tasks.V1;
using Grpc.Core;

namespace Containerd.Actors.Client.Lifecycles;

/// <summary>How a process ended.</summary>
/// <param name="Status">Its exit status; 128 + N for signal N; 255 when it is unknown.</param>
/// <param name="At">When; null if the daemon does not say.</param>
public sealed record ProcessExit(int Status, DateTimeOffset? At);

/// <summary>One process of a task: the container's first, or one that was executed beside it.</summary>
/// <remarks>Call <see cref="WaitAsync"/> before <see cref="StartAsync"/> when the exit status matters.</remarks>
public sealed class TaskProcess(ContainerdConnection connection, string containerId, string execId = "")
{
    /// <summary>The container's id.</summary>
    public string ContainerId => containerId;

    /// <summary>The exec process's id; empty for the container's first process.</summary>
    public string ExecId => execId;

    /// <summary>Starts the created process and answers its process id.</summary>
    public async Task<uint> StartAsync(CancellationToken cancellation)
    {
        StartResponse response = await connection.Tasks.StartAsync(
            new StartRequest { ContainerId = containerId, ExecId = execId }, cancellationToken: cancellation).ConfigureAwait(false);
        return response.Pid;
    }

    /// <summary>Answers when the process has ended; at once if it has already.</summary>
    public async Task<ProcessExit> WaitAsync(CancellationToken cancellation)
    {
        WaitResponse response = await connection.Tasks.WaitAsync(
            new WaitRequest { ContainerId = containerId, ExecId = execId }, cancellationToken: cancellation).ConfigureAwait(false);
        return new ProcessExit((int)response.ExitStatus, Values.Instant.From(response.ExitedAt));
    }

    /// <summary>Sends a signal; with <paramref name="all"/> to every process of the container.</summary>
    /// <returns>False if the process has ended or is gone.</returns>
    public async Task<bool> KillAsync(uint signal, bool all, CancellationToken cancellation)
    {
        try
        {
            var request = new KillRequest { ContainerId = containerId, ExecId = execId, Signal = signal, All = all };
            await connection.Tasks.KillAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            return true;
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Tells the process's terminal its size in characters.</summary>
    public async Task ResizeAsync(uint width, uint height, CancellationToken cancellation) =>
        await connection.Tasks.ResizePtyAsync(
            new ResizePtyRequest { ContainerId = containerId, ExecId = execId, Width = width, Height = height },
            cancellationToken: cancellation).ConfigureAwait(false);

    /// <summary>Lets the process see the end of its input once what was written has been read.</summary>
    public async Task CloseStdinAsync(CancellationToken cancellation) =>
        await connection.Tasks.CloseIOAsync(
            new CloseIORequest { ContainerId = containerId, ExecId = execId, Stdin = true },
            cancellationToken: cancellation).ConfigureAwait(false);

    /// <summary>Forgets the ended process; for the first process that removes the task. One that is gone is no failure.</summary>
    public async Task DeleteAsync(CancellationToken cancellation)
    {
        try
        {
            if (execId.Length == 0)
            {
                await connection.Tasks.DeleteAsync(
                    new DeleteTaskRequest { ContainerId = containerId }, cancellationToken: cancellation).ConfigureAwait(false);
            }
            else
            {
                await connection.Tasks.DeleteProcessAsync(
                    new DeleteProcessRequest { ContainerId = containerId, ExecId = execId },
                    cancellationToken: cancellation).ConfigureAwait(false);
            }
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            return;
        }
    }
}
