// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Actors.Oci.Images;
using Containerd.Services.Containers.V1;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl stop</c>: asks containers to end, and ends them if they do not.</summary>
internal static class StopCommand
{
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(30);

    private static readonly Argument<string[]> Ids = new("ID") { Description = "Container", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> Patience = RunCommand.One("--time", "-t", "SECONDS", "How long to wait before killing (default: 10)");

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("stop", "Stop containers: their stop signal, then SIGKILL") { Ids, Patience };
        command.Act(globals, _ => "", async (session, parsed, cancellation) =>
        {
            TimeSpan patience = Quantities.ParseSeconds(parsed.GetValue(Patience) ?? "10");
            return await Each.OfAsync(
                session, parsed.GetRequiredValue(Ids), id => StopAsync(session, id, patience, cancellation)).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>The signal that the image asks for; SIGTERM if it asks for none, or for one that does not exist.</summary>
    internal static uint SignalOf(Container container)
    {
        try
        {
            return container.Labels.TryGetValue(InheritedLabels.StopSignal, out string? name) ? Signals.Parse(name) : Signals.Terminate;
        }
        catch (FormatException)
        {
            return Signals.Terminate;
        }
    }

    private static async Task StopAsync(Session session, string id, TimeSpan patience, CancellationToken cancellation)
    {
        GetContainerResponse found = await session.Connection.Containers.GetAsync(
            new GetContainerRequest { Id = id }, cancellationToken: cancellation).ConfigureAwait(false);
        var process = new TaskProcess(session.Connection, id);
        if (!await process.KillAsync(SignalOf(found.Container), all: false, cancellation).ConfigureAwait(false))
        {
            return;
        }

        Task<ProcessExit> exit = process.WaitAsync(cancellation);
        if (await Task.WhenAny(exit, Task.Delay(patience, session.Time, cancellation)).ConfigureAwait(false) != exit)
        {
            await process.KillAsync(Signals.Kill, all: true, cancellation).ConfigureAwait(false);
        }

        await exit.WaitAsync(KillTimeout + patience, session.Time, cancellation).ConfigureAwait(false);
    }
}
