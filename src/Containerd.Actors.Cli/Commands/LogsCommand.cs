// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Running;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Services.Containers.V1;
using Grpc.Core;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl logs</c>: prints what a detached container wrote.</summary>
internal static class LogsCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);
    private static readonly Argument<string> Id = new("ID") { Description = "Container" };
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on until the container has ended" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("logs", "Print what a detached container wrote") { Id, Follow };
        command.Act(globals, parsed => parsed.GetValue(Id) ?? "", async (session, parsed, cancellation) =>
        {
            string id = parsed.GetRequiredValue(Id);
            GetContainerResponse found = await session.Connection.Containers.GetAsync(
                new GetContainerRequest { Id = id }, cancellationToken: cancellation).ConfigureAwait(false);
            if (!found.Container.Labels.TryGetValue(ContainerLabels.LogPath, out string? path))
            {
                throw new CliFailure(id, "the container has no log", "only \"cactl run -d\" writes one");
            }

            Task ended = parsed.GetValue(Follow) ? EndAsync(session, id, cancellation) : Task.CompletedTask;
            await CopyAsync(path, ended, session.Time, cancellation).ConfigureAwait(false);
            return 0;
        });
        return command;
    }

    // Once the container has ended the file is read one last time: what it wrote at the end is in there by then.
    private static async Task CopyAsync(string path, Task ended, TimeProvider time, CancellationToken cancellation)
    {
        await using FileStream log = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        await using Stream output = StandardStreams.Output();
        while (true)
        {
            bool last = ended.IsCompleted;
            await log.CopyToAsync(output, cancellation).ConfigureAwait(false);
            if (last)
            {
                return;
            }

            await Task.WhenAny(ended, Task.Delay(PollInterval, time, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private static async Task EndAsync(Session session, string id, CancellationToken cancellation)
    {
        try
        {
            await new TaskProcess(session.Connection, id).WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            return;
        }
    }
}
