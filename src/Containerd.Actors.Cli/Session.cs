// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Output;
using Containerd.Actors.Cli.Terminals;
using Containerd.Actors.Client.Connections;
using Grpc.Core;

namespace Containerd.Actors.Cli;

/// <summary>What a verb works with: the daemon, the place for its output, and how to write there.</summary>
internal sealed record Session(ContainerdConnection Connection, TextWriter Out, TextWriter Error, bool Json, TimeProvider Time)
{
    /// <summary>Columns of the terminal on standard output; 0 if there is none.</summary>
    public int Width { get; init; } = TerminalSize.OfOutput()?.Width ?? 0;

    /// <summary>Prints a table cut to the terminal.</summary>
    public void Print(Table table)
    {
        foreach (string line in table.Lines(Width))
        {
            Out.WriteLine(line);
        }
    }
}

/// <summary>Connects a command to what it does: opens the session and tells failures in one line.</summary>
internal static class Verb
{
    /// <summary>Sets the command's action.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="globals">The options of every verb.</param>
    /// <param name="subject">What the verb is about, for error texts; may be empty.</param>
    /// <param name="act">The deed; answers the exit code.</param>
    /// <param name="failure">Exit code of a failure that has none of its own.</param>
    public static void Act(
        this Command command,
        GlobalOptions globals,
        Func<ParseResult, string> subject,
        Func<Session, ParseResult, CancellationToken, Task<int>> act,
        int failure = ExitCodes.Failed)
    {
        RefuseUnknownOptions(command);
        command.SetAction((parsed, cancellation) => RunAsync(parsed, globals, subject, act, failure, cancellation));
    }

    // The parser takes an option that it does not know for an argument. Behind the border, in CMD, that is right.
    private static void RefuseUnknownOptions(Command command)
    {
        foreach (Argument argument in command.Arguments.Where(argument => argument.Name != "CMD"))
        {
            argument.Validators.Add(result =>
            {
                if (result.Tokens.FirstOrDefault(token => token.Value is ['-', _, ..]) is { } unknown)
                {
                    result.AddError($"unknown option {unknown.Value}");
                }
            });
        }
    }

    private static async Task<int> RunAsync(
        ParseResult parsed,
        GlobalOptions globals,
        Func<ParseResult, string> subject,
        Func<Session, ParseResult, CancellationToken, Task<int>> act,
        int failure,
        CancellationToken cancellation)
    {
        TextWriter error = parsed.InvocationConfiguration.Error;
        string about = subject(parsed);
        string address = parsed.GetRequiredValue(globals.Address);
        try
        {
            using ContainerdConnection connection = Connect(address, parsed.GetRequiredValue(globals.Namespace));
            var session = new Session(
                connection, parsed.InvocationConfiguration.Output, error, parsed.GetValue(globals.Json), TimeProvider.System);
            return await act(session, parsed, cancellation).ConfigureAwait(false);
        }
        catch (CliFailure told)
        {
            return Tell(error, told, failure);
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.Cancelled && cancellation.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
        catch (RpcException refused)
        {
            return Tell(error, Failures.Of(refused, about, address), failure);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception failed) when (failed is IOException or FormatException or InvalidDataException or UnauthorizedAccessException)
        {
            return Tell(error, new CliFailure(about, failed.Message), failure);
        }
    }

    private static ContainerdConnection Connect(string address, string name)
    {
        try
        {
            return ContainerdConnection.Open(address, name);
        }
        catch (ArgumentException)
        {
            throw new CliFailure("", $"address \"{address}\", namespace \"{name}\": not usable", "see --address and --namespace");
        }
    }

    private static int Tell(TextWriter error, CliFailure told, int failure)
    {
        error.WriteLine(told.Line);
        return told.ExitCode ?? failure;
    }
}
