// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Actors.Client.Stdio;
using Grpc.Core;

namespace Containerd.Actors.Cli.Running;

/// <summary>A run by one call: the daemon makes, starts and removes the container, also when cactl is gone.</summary>
internal sealed class TreeRun(Session session, RunRequest request, ContainerRun run)
{
    /// <summary>Runs the container and answers the exit status; 0 for one that was left running.</summary>
    /// <exception cref="RpcException">The run was refused and nothing is left; unimplemented where the daemon is not ours.</exception>
    public async Task<int> ExecuteAsync(SignalForwarding? signals, CancellationToken cancellation)
    {
        using FifoSet? fifos = signals is null ? null : run.CreateFifos();
        Runs.V1.RunRequest message = RunMessage.Of(request, run);
        if (fifos is null)
        {
            message.Stdout = message.Stderr = run.OpenLog();
        }
        else
        {
            (message.Stdin, message.Stdout, message.Stderr) = (fifos.Stdin, fifos.Stdout, fifos.Stderr);
        }

        using RunCall call = new(session, message, run, cancellation);
        try
        {
            if (fifos is null)
            {
                await call.StartAsync().ConfigureAwait(false);
                return 0;
            }

            var process = new TaskProcess(session.Connection, run.Id);
            int status = await new AttachedProcess(call, process, fifos, request.Terminal, request.Interactive, session.Time)
                .RunAsync(signals!).ConfigureAwait(false);
            await EndAsync(call).ConfigureAwait(false);
            return status;
        }
        finally
        {
            run.Stages.Rest("cactl");
        }
    }

    private async Task EndAsync(RunCall call)
    {
        try
        {
            if (!await call.EndAsync().ConfigureAwait(false) && request.Remove)
            {
                // The daemon went away meanwhile. The next one removes the container too, but takes its time.
                await run.CleanUpAsync(new ContainerLifecycle(session.Connection, session.Time)).ConfigureAwait(false);
            }
        }
        catch (RpcException refused)
        {
            await run.TellRemainsAsync(Failures.Text(refused)).ConfigureAwait(false);
        }
    }
}
