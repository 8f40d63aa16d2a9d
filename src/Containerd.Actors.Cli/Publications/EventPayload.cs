// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Containerd.Actors.Cli.Output;
using Containerd.Actors.Client.Values;
using Containerd.Events;
using Containerd.Services.Images.V1;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Cli.Publications;

/// <summary>Reads the payloads of containerd's events, with the names of their fields in the protocol.</summary>
/// <remarks>By hand for each type: protobuf's own JSON writer works by reflection, which a native binary does not carry.</remarks>
internal static class EventPayload
{
    /// <summary>The payload as JSON; null for a type that is not known here, or bytes that do not parse.</summary>
    public static JsonObject? Read(Any? payload)
    {
        if (payload is null)
        {
            return null;
        }

        try
        {
            return Read(TypedAny.NameOf(payload), payload.Value);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static JsonObject? Read(string name, ByteString bytes) => name switch
    {
        "containerd.events.ContainerCreate" => Of(ContainerCreate.Parser.ParseFrom(bytes)),
        "containerd.events.ContainerUpdate" => Of(ContainerUpdate.Parser.ParseFrom(bytes)),
        "containerd.events.ContainerDelete" => Fields(("id", ContainerDelete.Parser.ParseFrom(bytes).Id)),
        "containerd.events.ContentCreate" => Of(ContentCreate.Parser.ParseFrom(bytes)),
        "containerd.events.ContentDelete" => Fields(("digest", ContentDelete.Parser.ParseFrom(bytes).Digest)),
        "containerd.events.ImageCreate" => Named(ImageCreate.Parser.ParseFrom(bytes), e => e.Name, e => e.Labels),
        "containerd.events.ImageUpdate" => Named(ImageUpdate.Parser.ParseFrom(bytes), e => e.Name, e => e.Labels),
        "containerd.events.ImageDelete" => Fields(("name", ImageDelete.Parser.ParseFrom(bytes).Name)),
        "containerd.events.NamespaceCreate" => Named(NamespaceCreate.Parser.ParseFrom(bytes), e => e.Name, e => e.Labels),
        "containerd.events.NamespaceUpdate" => Named(NamespaceUpdate.Parser.ParseFrom(bytes), e => e.Name, e => e.Labels),
        "containerd.events.NamespaceDelete" => Fields(("name", NamespaceDelete.Parser.ParseFrom(bytes).Name)),
        "containerd.events.SandboxCreate" => Fields(("sandbox_id", SandboxCreate.Parser.ParseFrom(bytes).SandboxId)),
        "containerd.events.SandboxStart" => Fields(("sandbox_id", SandboxStart.Parser.ParseFrom(bytes).SandboxId)),
        "containerd.events.SandboxExit" => Of(SandboxExit.Parser.ParseFrom(bytes)),
        "containerd.events.SnapshotPrepare" => Of(SnapshotPrepare.Parser.ParseFrom(bytes)),
        "containerd.events.SnapshotCommit" => Of(SnapshotCommit.Parser.ParseFrom(bytes)),
        "containerd.events.SnapshotRemove" => Of(SnapshotRemove.Parser.ParseFrom(bytes)),
        "containerd.events.TaskCreate" => Of(TaskCreate.Parser.ParseFrom(bytes)),
        "containerd.events.TaskStart" => Of(TaskStart.Parser.ParseFrom(bytes)),
        "containerd.events.TaskDelete" => Of(TaskDelete.Parser.ParseFrom(bytes)),
        "containerd.events.TaskExit" => Of(TaskExit.Parser.ParseFrom(bytes)),
        "containerd.events.TaskOOM" => Fields(("container_id", TaskOOM.Parser.ParseFrom(bytes).ContainerId)),
        "containerd.events.TaskExecAdded" => Of(TaskExecAdded.Parser.ParseFrom(bytes)),
        "containerd.events.TaskExecStarted" => Of(TaskExecStarted.Parser.ParseFrom(bytes)),
        "containerd.events.TaskPaused" => Fields(("container_id", TaskPaused.Parser.ParseFrom(bytes).ContainerId)),
        "containerd.events.TaskResumed" => Fields(("container_id", TaskResumed.Parser.ParseFrom(bytes).ContainerId)),
        "containerd.events.TaskCheckpointed" => Of(TaskCheckpointed.Parser.ParseFrom(bytes)),
        _ => null,
    };

    private static JsonObject Of(ContainerCreate e) =>
        Fields(("id", e.Id), ("image", e.Image), ("runtime", e.Runtime?.Name ?? ""));

    private static JsonObject Of(ContainerUpdate e) =>
        Fields(("id", e.Id), ("image", e.Image), ("snapshot_key", e.SnapshotKey), ("labels", Labels(e.Labels)));

    private static JsonObject Of(ContentCreate e) => Fields(("digest", e.Digest), ("size", e.Size));

    private static JsonObject Of(SandboxExit e) =>
        Fields(("sandbox_id", e.SandboxId), ("exit_status", e.ExitStatus), ("exited_at", Time(e.ExitedAt)));

    private static JsonObject Of(SnapshotPrepare e) => Fields(("key", e.Key), ("parent", e.Parent), ("snapshotter", e.Snapshotter));

    private static JsonObject Of(SnapshotCommit e) => Fields(("key", e.Key), ("name", e.Name), ("snapshotter", e.Snapshotter));

    private static JsonObject Of(SnapshotRemove e) => Fields(("key", e.Key), ("snapshotter", e.Snapshotter));

    private static JsonObject Of(TaskCreate e) => Fields(
        ("container_id", e.ContainerId), ("bundle", e.Bundle), ("checkpoint", e.Checkpoint), ("pid", e.Pid));

    private static JsonObject Of(TaskStart e) => Fields(("container_id", e.ContainerId), ("pid", e.Pid));

    private static JsonObject Of(TaskDelete e) => Fields(
        ("container_id", e.ContainerId), ("id", e.Id), ("pid", e.Pid), ("exit_status", e.ExitStatus), ("exited_at", Time(e.ExitedAt)));

    private static JsonObject Of(TaskExit e) => Fields(
        ("container_id", e.ContainerId), ("id", e.Id), ("pid", e.Pid), ("exit_status", e.ExitStatus), ("exited_at", Time(e.ExitedAt)));

    private static JsonObject Of(TaskExecAdded e) => Fields(("container_id", e.ContainerId), ("exec_id", e.ExecId));

    private static JsonObject Of(TaskExecStarted e) =>
        Fields(("container_id", e.ContainerId), ("exec_id", e.ExecId), ("pid", e.Pid));

    private static JsonObject Of(TaskCheckpointed e) => Fields(("container_id", e.ContainerId), ("checkpoint", e.Checkpoint));

    private static JsonObject Named<T>(T e, Func<T, string> name, Func<T, MapField<string, string>> labels) =>
        Fields(("name", name(e)), ("labels", Labels(labels(e))));

    // Empty texts are left out, as containerd's clients do; numbers are always there.
    private static JsonObject Fields(params (string Name, JsonNode? Value)[] fields)
    {
        var json = new JsonObject();
        foreach ((string name, JsonNode? value) in fields)
        {
            bool isEmpty = value is null || (value is JsonValue text && text.TryGetValue(out string? content) && content.Length == 0);
            if (!isEmpty)
            {
                json[name] = value;
            }
        }

        return json;
    }

    private static JsonObject? Labels(MapField<string, string> labels)
    {
        var json = new JsonObject();
        foreach ((string key, string value) in labels.OrderBy(label => label.Key, StringComparer.Ordinal))
        {
            json[key] = value;
        }

        return json.Count == 0 ? null : json;
    }

    private static string Time(Timestamp? timestamp) => Instant.From(timestamp) is { } at ? Ages.Rfc3339(at) : "";
}
