// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.CommandLine.Invocation;
using Containerd.Actors.Cli;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Running;

// Plain writers, so that nothing but the output reaches a terminal.
await using var output = new StreamWriter(StandardStreams.Output()) { AutoFlush = true };
await using var error = new StreamWriter(StandardStreams.Error()) { AutoFlush = true };

ParseResult parsed = CommandTree.Parse(args);
string verb = parsed.CommandResult.Command.Name;

// One line for a wrong command line, as for every other failure, instead of the whole help.
if (parsed is { Errors.Count: > 0, Action: ParseErrorAction })
{
    string hint = parsed.CommandResult.Command is RootCommand ? "see \"cactl --help\"" : $"see \"cactl {verb} --help\"";
    await error.WriteLineAsync(new CliFailure("", parsed.Errors[0].Message.TrimEnd('.'), hint).Line).ConfigureAwait(false);
    return verb is "run" or "exec" ? ExitCodes.NoProcess : ExitCodes.Failed;
}

// Verbs that run a process take the signals for themselves; the others end at once, as a program without handlers does.
return await parsed.InvokeAsync(new InvocationConfiguration
{
    Output = output,
    Error = error,
    ProcessTerminationTimeout = null,
    EnableDefaultExceptionHandler = false,
}).ConfigureAwait(false);
