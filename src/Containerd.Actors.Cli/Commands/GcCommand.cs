// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Output;
using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl gc</c>: collects garbage now, or tells what would go.</summary>
internal static class GcCommand
{
    public static Command Build(GlobalOptions globals)
    {
        var dry = new Option<bool>("--dry-run") { Description = "Remove nothing; tell what would go, and why" };
        var command = new Command("gc", "Collect garbage in all namespaces and wait for the end") { dry };
        command.Act(globals, _ => "gc", async (session, parsed, cancellation) =>
        {
            bool isDry = parsed.GetValue(dry);
            CollectResponse response = await session.Connection.Node.CollectAsync(
                new CollectRequest { DryRun = isDry }, cancellationToken: cancellation).ConfigureAwait(false);
            if (session.Json)
            {
                JsonOutput.WriteLine(session.Out, CollectDocument.From(response, isDry), CliJson.Documents.CollectDocument);
            }
            else
            {
                Print(session, response, isDry);
            }

            return 0;
        });
        return command;
    }

    /// <summary>How much went, in one line.</summary>
    internal static string Summary(CollectResponse response, bool isDry) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(isDry ? "would remove" : "removed")} {response.Removed.Count} records, {response.Blobs} blobs and uploads ({Sizes.Format(response.BlobBytes)}), {response.Directories} directories of snapshots, {response.Mounts} mounts");

    private static void Print(Session session, CollectResponse response, bool isDry)
    {
        if (response.Removed.Count > 0)
        {
            Table table = isDry ? new Table("NAMESPACE", "KIND", "SIZE", "ID", "WHY") : new Table("NAMESPACE", "KIND", "SIZE", "ID");
            foreach (CondemnedThing removed in response.Removed)
            {
                string size = removed.Bytes > 0 ? Sizes.Format(removed.Bytes) : "-";
                string id = WhyCommand.Name(removed.Thing);
                table.Add(isDry ? [removed.Namespace, removed.Thing.Kind, size, id, removed.Reason] : [removed.Namespace, removed.Thing.Kind, size, id]);
            }

            session.Print(table);
        }

        session.Out.WriteLine(Summary(response, isDry));
    }
}
