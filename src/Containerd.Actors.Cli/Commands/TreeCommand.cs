// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Output;
using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl tree</c>: prints the daemon's live supervision tree.</summary>
internal static class TreeCommand
{
    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("tree", "Print the live supervision tree");
        command.Act(globals, _ => "tree", async (session, _, cancellation) =>
        {
            TreeResponse tree = await session.Connection.Node.TreeAsync(
                new TreeRequest(), cancellationToken: cancellation).ConfigureAwait(false);
            if (session.Json)
            {
                JsonOutput.WriteLine(
                    session.Out, [.. tree.Nodes.Select(TreeDocument.From)], CliJson.Documents.IReadOnlyListTreeDocument);
                return 0;
            }

            foreach (string line in Indentation.Lines([.. tree.Nodes.Select(node => new Branch(node.Path, Remark(node)))]))
            {
                await session.Out.WriteLineAsync(session.Width > 0 ? Table.Cut(line, session.Width) : line).ConfigureAwait(false);
            }

            return 0;
        });
        return command;
    }

    private static string Remark(TreeNode node) => node.Note.Length > 0 ? $"({node.Type}: {node.Note})" : $"({node.Type})";
}
