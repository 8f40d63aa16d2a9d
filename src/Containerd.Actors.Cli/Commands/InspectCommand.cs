// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text.Json;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Client.Values;
using Containerd.Services.Containers.V1;
using Containerd.Services.Snapshots.V1;
using Containerd.Services.Tasks.V1;
using Containerd.V1.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl inspect</c>: prints all that is known of a container, as JSON.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "Container" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("inspect", "Print a container, its task, snapshot and spec as JSON") { Id };
        command.Act(globals, parsed => parsed.GetValue(Id) ?? "", async (session, parsed, cancellation) =>
        {
            string id = parsed.GetRequiredValue(Id);
            GetContainerResponse found = await session.Connection.Containers.GetAsync(
                new GetContainerRequest { Id = id }, cancellationToken: cancellation).ConfigureAwait(false);
            Container container = found.Container;
            Process? task = await MissingAsNullAsync(async () => (await session.Connection.Tasks.GetAsync(
                new GetRequest { ContainerId = id }, cancellationToken: cancellation).ConfigureAwait(false)).Process).ConfigureAwait(false);
            SnapshotDocument? snapshot = container.SnapshotKey.Length == 0
                ? null
                : await MissingAsNullAsync(() => ReadSnapshotAsync(session, container, cancellation)).ConfigureAwait(false);
            var document = new InspectDocument(
                ContainerDocument.From(container, task), task is null ? null : TaskDocument.From(task), snapshot, ReadSpec(container.Spec));
            JsonOutput.WriteLine(session.Out, document, CliJson.Documents.InspectDocument);
            return 0;
        });
        return command;
    }

    /// <summary>The spec if it is JSON; null for one in another form.</summary>
    internal static JsonElement? ReadSpec(Any? spec)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(spec?.Value.Memory ?? default);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task<SnapshotDocument> ReadSnapshotAsync(Session session, Container container, CancellationToken cancellation)
    {
        StatSnapshotResponse stat = await session.Connection.Snapshots.StatAsync(
            new StatSnapshotRequest { Snapshotter = container.Snapshotter, Key = container.SnapshotKey },
            cancellationToken: cancellation).ConfigureAwait(false);
        MountsResponse mounts = await session.Connection.Snapshots.MountsAsync(
            new MountsRequest { Snapshotter = container.Snapshotter, Key = container.SnapshotKey },
            cancellationToken: cancellation).ConfigureAwait(false);
        return new SnapshotDocument(
            container.Snapshotter,
            container.SnapshotKey,
            stat.Info.Parent,
            stat.Info.Kind.ToString().ToLowerInvariant(),
            Instant.From(stat.Info.CreatedAt),
            [.. mounts.Mounts.Select(mount => new MountDocument(mount.Type, mount.Source, [.. mount.Options]))]);
    }

    private static async Task<T?> MissingAsNullAsync<T>(Func<Task<T>> read)
        where T : class
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (RpcException missing) when (missing.StatusCode is StatusCode.NotFound)
        {
            return null;
        }
    }
}
