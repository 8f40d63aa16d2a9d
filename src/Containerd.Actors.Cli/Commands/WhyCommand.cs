// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Output;
using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl why</c>: tells what keeps a thing from garbage collection, or why nothing does.</summary>
internal static class WhyCommand
{
    public static Command Build(GlobalOptions globals)
    {
        var name = new Argument<string>("NAME")
        {
            Description = "A digest or at least six digits of its start, a snapshot's key, an image, a lease, a container or an upload",
        };
        var command = new Command("why", "Tell what keeps content, a snapshot or another thing from garbage collection") { name };
        command.Act(globals, parsed => parsed.GetValue(name) ?? "why", async (session, parsed, cancellation) =>
        {
            ExplainResponse response = await session.Connection.Node.ExplainAsync(
                new ExplainRequest { Name = parsed.GetRequiredValue(name) }, cancellationToken: cancellation).ConfigureAwait(false);
            if (session.Json)
            {
                JsonOutput.WriteLine(
                    session.Out, [.. response.Explanations.Select(ExplanationDocument.From)], CliJson.Documents.IReadOnlyListExplanationDocument);
                return 0;
            }

            foreach (string line in response.Explanations.SelectMany(Lines))
            {
                await session.Out.WriteLineAsync(session.Width > 0 ? Table.Cut(line, session.Width) : line).ConfigureAwait(false);
            }

            return 0;
        });
        return command;
    }

    /// <summary>A thing as people name it.</summary>
    internal static string Name(GarbageThing thing) => thing.Snapshotter.Length > 0 ? $"{thing.Snapshotter}/{thing.Id}" : thing.Id;

    /// <summary>The thing and its verdict, then the steps that lead to it, or what names it in vain.</summary>
    internal static IEnumerable<string> Lines(Explanation explanation)
    {
        yield return $"{explanation.Thing.Kind} {Name(explanation.Thing)}: {explanation.Verdict}";
        string indentation = "  ";
        foreach (GarbageStep step in explanation.Path)
        {
            yield return $"{indentation}{(indentation.Length > 2 ? "└─ " : "")}{step.Thing.Kind} {Name(step.Thing)}  ({step.Reason})";
            indentation += "  ";
        }

        foreach (GarbageStep step in explanation.InVain)
        {
            yield return $"  not by {step.Thing.Kind} {Name(step.Thing)}  ({step.Reason})";
        }
    }
}
