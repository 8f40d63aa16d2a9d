// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Services.Tasks.V1;

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>Further processes in containers that run.</summary>
public static class Execs
{
    /// <summary>Runs one from its request to its deletion, under an id of its own; answers its exit status.</summary>
    public static async Task<int> RunAsync(ContainerdConnection connection, ExecProcessRequest request, CancellationToken cancellation)
    {
        request.ExecId = $"exec-{Guid.NewGuid():N}";
        TaskProcess process = new(connection, request.ContainerId, request.ExecId);
        await connection.Tasks.ExecAsync(request, cancellationToken: cancellation);
        Task<ProcessExit> exit = process.WaitAsync(cancellation);
        await process.StartAsync(cancellation);
        int status = (await exit).Status;
        await process.DeleteAsync(cancellation);
        return status;
    }
}
