// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Containerd.Actors.Client.Values;
using Containerd.Services.Containers.V1;
using Containerd.Services.Images.V1;
using Containerd.V1.Types;

namespace Containerd.Actors.Cli.Json;

/// <summary>An image of <c>cactl images --json</c>.</summary>
internal sealed record ImageDocument(
    string Name,
    string Digest,
    string MediaType,
    long Size,
    IReadOnlyList<string> Platforms,
    DateTimeOffset? CreatedAt,
    SortedDictionary<string, string> Labels)
{
    public static ImageDocument From(Image image, long size, IReadOnlyList<string> platforms) => new(
        image.Name,
        image.Target.Digest,
        image.Target.MediaType,
        size,
        platforms,
        Instant.From(image.CreatedAt),
        new SortedDictionary<string, string>(image.Labels, StringComparer.Ordinal));
}

/// <summary>A container of <c>cactl ps --json</c>.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Image">Name of its image.</param>
/// <param name="Status">none, created, running, stopped, paused, pausing or unknown.</param>
/// <param name="Pid">Of its first process; null without a task.</param>
/// <param name="ExitStatus">Null unless stopped.</param>
/// <param name="ExitedAt">Null unless stopped.</param>
/// <param name="CreatedAt">When the container was made.</param>
/// <param name="Runtime">Name of its runtime.</param>
/// <param name="Labels">By name.</param>
internal sealed record ContainerDocument(
    string Id,
    string Image,
    string Status,
    uint? Pid,
    uint? ExitStatus,
    DateTimeOffset? ExitedAt,
    DateTimeOffset? CreatedAt,
    string Runtime,
    SortedDictionary<string, string> Labels)
{
    /// <summary>True for what <c>ps</c> shows without <c>-a</c>.</summary>
    public static bool IsAlive(Process? task) => task?.Status is V1.Types.Status.Running or V1.Types.Status.Paused or V1.Types.Status.Pausing;

    public static ContainerDocument From(Container container, Process? task)
    {
        bool stopped = task?.Status == V1.Types.Status.Stopped;
        return new ContainerDocument(
            container.Id,
            container.Image,
            task is null ? "none" : task.Status.ToString().ToLowerInvariant(),
            task?.Pid,
            stopped ? task!.ExitStatus : null,
            stopped ? Instant.From(task!.ExitedAt) : null,
            Instant.From(container.CreatedAt),
            container.Runtime?.Name ?? "",
            new SortedDictionary<string, string>(container.Labels, StringComparer.Ordinal));
    }
}

/// <summary>What <c>cactl inspect</c> prints.</summary>
internal sealed record InspectDocument(
    ContainerDocument Container,
    TaskDocument? Task,
    SnapshotDocument? Snapshot,
    JsonElement? Spec);

/// <summary>The task of an inspected container.</summary>
internal sealed record TaskDocument(string Status, uint Pid, string Stdin, string Stdout, string Stderr, bool Terminal)
{
    public static TaskDocument From(Process task) => new(
        task.Status.ToString().ToLowerInvariant(), task.Pid, task.Stdin, task.Stdout, task.Stderr, task.Terminal);
}

/// <summary>The snapshot of an inspected container.</summary>
internal sealed record SnapshotDocument(
    string Snapshotter, string Key, string Parent, string Kind, DateTimeOffset? CreatedAt, IReadOnlyList<MountDocument> Mounts);

/// <summary>One mount of a snapshot.</summary>
internal sealed record MountDocument(string Type, string Source, IReadOnlyList<string> Options);
