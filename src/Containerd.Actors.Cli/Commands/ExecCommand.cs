// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Running;
using Grpc.Core;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl exec</c>: runs another process in a running container.</summary>
internal static class ExecCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "Container" };
    private static readonly Argument<string[]> CommandLine = new("CMD") { Description = "Command and arguments", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<bool> Tty = new("--tty", "-t") { Description = "Give the process a terminal" };
    private static readonly Option<bool> Interactive = new("--interactive", "-i") { Description = "Pass standard input on" };
    private static readonly Option<string[]> Variables = RunCommand.Many("--env", "-e", "KEY[=VALUE]", "Environment variable; a key alone is passed on");
    private static readonly Option<string> WorkingDirectory = RunCommand.One("--workdir", "-w", "DIR", "Working directory (default: the container's)");
    private static readonly Option<string> User = RunCommand.One("--user", "-u", "USER[:GROUP]", "User, by name or number (default: the container's)");

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("exec", "Run another process in a running container")
        {
            Id, CommandLine, Tty, Interactive, Variables, WorkingDirectory, User,
        };
        command.Act(globals, parsed => parsed.GetValue(Id) ?? "", ExecuteAsync, ExitCodes.NoProcess);
        return command;
    }

    internal static ExecRequest Read(ParseResult parsed) => new(parsed.GetRequiredValue(Id), parsed.GetRequiredValue(CommandLine))
    {
        Terminal = parsed.GetValue(Tty),
        Interactive = parsed.GetValue(Interactive),
        Environment = RunCommand.ReadVariables(parsed.GetValue(Variables)),
        WorkingDirectory = parsed.GetValue(WorkingDirectory),
        User = parsed.GetValue(User),
    };

    private static async Task<int> ExecuteAsync(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        ExecRequest request = Read(parsed);
        try
        {
            return await new ContainerExec(session, request).ExecuteAsync(cancellation).ConfigureAwait(false);
        }
        catch (RpcException refused)
        {
            CliFailure told = Failures.Of(refused, request.Id, session.Connection.Address);
            throw new CliFailure(told.Subject, told.Message, told.Hint, ExitCodes.OfStart(Failures.Text(refused)));
        }
    }
}
