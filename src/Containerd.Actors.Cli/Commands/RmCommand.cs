// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Running;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Services.Containers.V1;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl rm</c>: removes containers with their task, snapshot and log.</summary>
internal static class RmCommand
{
    private static readonly Argument<string[]> Ids = new("ID") { Description = "Container", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<bool> Force = new("--force", "-f") { Description = "Kill what runs" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("rm", "Remove containers") { Ids, Force };
        command.Act(globals, _ => "", async (session, parsed, cancellation) => await Each.OfAsync(
            session,
            parsed.GetRequiredValue(Ids),
            id => RemoveAsync(session, id, parsed.GetValue(Force), cancellation)).ConfigureAwait(false));
        return command;
    }

    private static async Task RemoveAsync(Session session, string id, bool force, CancellationToken cancellation)
    {
        GetContainerResponse found = await session.Connection.Containers.GetAsync(
            new GetContainerRequest { Id = id }, cancellationToken: cancellation).ConfigureAwait(false);
        await new ContainerLifecycle(session.Connection, session.Time).RemoveAsync(id, force, cancellation).ConfigureAwait(false);

        // A log where the user wanted it is the user's; only one in the default place goes with the container.
        if (found.Container.Labels.TryGetValue(ContainerLabels.LogPath, out string? log)
            && log == ContainerRun.DefaultLogPath(session.Connection.Namespace, id)
            && File.Exists(log))
        {
            File.Delete(log);
        }
    }
}
