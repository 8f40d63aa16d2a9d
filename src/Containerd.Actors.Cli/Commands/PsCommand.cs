// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Output;
using Containerd.Services.Containers.V1;
using Containerd.Services.Tasks.V1;
using Containerd.V1.Types;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl ps</c>: lists containers and what they do.</summary>
internal static class PsCommand
{
    private static readonly Option<bool> All = new("--all", "-a") { Description = "Also those that do not run" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("ps", "List containers") { All };
        command.Act(globals, _ => "", ListAsync);
        return command;
    }

    /// <summary>The state for people: <c>RUNNING</c>, <c>STOPPED (3) 5 s ago</c>, <c>NO TASK</c>.</summary>
    internal static string Status(ContainerDocument container, DateTimeOffset now) => container.Status switch
    {
        "none" => "NO TASK",
        "stopped" when container.ExitedAt is { } at => $"STOPPED ({container.ExitStatus}) {Ages.Since(at, now)} ago",
        "stopped" => $"STOPPED ({container.ExitStatus})",
        _ => container.Status.ToUpperInvariant(),
    };

    private static async Task<int> ListAsync(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        Task<ListContainersResponse> containers = session.Connection.Containers.ListAsync(
            new ListContainersRequest(), cancellationToken: cancellation).ResponseAsync;
        ListTasksResponse tasks = await session.Connection.Tasks.ListAsync(
            new ListTasksRequest(), cancellationToken: cancellation).ConfigureAwait(false);
        Dictionary<string, Process> processes = tasks.Tasks.DistinctBy(task => task.Id).ToDictionary(task => task.Id, StringComparer.Ordinal);
        bool all = parsed.GetValue(All);
        ContainerDocument[] documents =
        [
            .. (await containers.ConfigureAwait(false)).Containers
                .Where(container => all || ContainerDocument.IsAlive(processes.GetValueOrDefault(container.Id)))
                .OrderByDescending(container => container.CreatedAt)
                .Select(container => ContainerDocument.From(container, processes.GetValueOrDefault(container.Id))),
        ];
        if (session.Json)
        {
            JsonOutput.WriteLine(session.Out, documents, CliJson.Documents.IReadOnlyListContainerDocument);
            return 0;
        }

        DateTimeOffset now = session.Time.GetUtcNow();
        var table = new Table("ID", "IMAGE", "STATUS", "PID", "AGE");
        foreach (ContainerDocument container in documents)
        {
            string pid = container.Pid is > 0 && container.Status != "stopped"
                ? container.Pid.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)
                : "-";
            table.Add(container.Id, container.Image, Status(container, now), pid, Ages.Since(container.CreatedAt, now));
        }

        session.Print(table);
        return 0;
    }
}
