// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Client.Lifecycles;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl kill</c>: sends a signal to containers.</summary>
internal static class KillCommand
{
    private static readonly Argument<string[]> Ids = new("ID") { Description = "Container", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> Signal = RunCommand.One("--signal", "-s", "SIGNAL", "Signal by name or number (default: KILL)");

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("kill", "Send a signal to containers") { Ids, Signal };
        command.Act(globals, _ => "", async (session, parsed, cancellation) =>
        {
            uint signal = parsed.GetValue(Signal) is { } text ? Signals.Parse(text) : Signals.Kill;
            return await Each.OfAsync(session, parsed.GetRequiredValue(Ids), async id =>
            {
                if (!await new TaskProcess(session.Connection, id).KillAsync(signal, all: false, cancellation).ConfigureAwait(false))
                {
                    throw new CliFailure(id, "the container does not run", "\"cactl ps -a\" lists what there is");
                }
            }).ConfigureAwait(false);
        });
        return command;
    }
}
