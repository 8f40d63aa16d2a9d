// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Containerd.Actors.Core.Containers;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Node;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Core.Transfers;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Audit;

/// <summary>Events as JSON for people and tools, with secrets redacted. Not a stored form: it may change with any release.</summary>
public static partial class AuditRendering
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The event as one line of JSON.</summary>
    public static string Detail(DomainEvent value)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, Options))
        {
            writer.WriteStartObject();
            Write(writer, value);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, DomainEvent value)
    {
        switch (value)
        {
            case NamespaceEvents.Created e: Write(writer, e.Labels); break;
            case NamespaceEvents.Updated e: Write(writer, e.Labels); break;
            case ImageEvents.Created e: Write(writer, e.Image); break;
            case ImageEvents.Updated e: Write(writer, e.Image); break;
            case ImageEvents.Deleted e: Text(writer, "name", e.Name); break;
            case LeaseEvents.Created e: Text(writer, "id", e.Id); Write(writer, e.Labels); break;
            case LeaseEvents.Deleted e: Text(writer, "id", e.Id); break;
            case LeaseEvents.ResourceAdded e: Write(writer, e.Id, e.Resource); break;
            case LeaseEvents.ResourceRemoved e: Write(writer, e.Id, e.Resource); break;
            case ContentEvents.Added e: Write(writer, e.Content); break;
            case ContentEvents.Updated e: Write(writer, e.Content); break;
            case ContentEvents.Removed e: Text(writer, "digest", e.Digest.ToString()); break;
            case SnapshotEvents.Prepared e: Write(writer, e.Snapshot); break;
            case SnapshotEvents.Committed e: Text(writer, "from", e.Key); Write(writer, e.Snapshot); break;
            case SnapshotEvents.Updated e: Write(writer, e.Snapshot); break;
            case SnapshotEvents.Removed e: Text(writer, "snapshotter", e.Snapshotter); Text(writer, "key", e.Key); break;
            case ContainerEvents.Created e: Write(writer, e.Container); break;
            case ContainerEvents.Updated e: Write(writer, e.Container); break;
            case NodeEvents.DaemonStarted e: Text(writer, "version", e.Version); writer.WriteNumber("pid", e.Pid); break;
            case NodeEvents.DaemonStopped e: writer.WriteNumber("pid", e.Pid); break;
            case NodeEvents.Published e: Text(writer, "topic", e.Topic); Write(writer, "payload", e.Payload); break;
            case PullEvents.Requested e: Write(writer, e); break;
            case PullEvents.Resolved e: Write(writer, "target", e.Target); break;
            case PullEvents.LayerUnpacked e: Text(writer, "layer", e.Layer.ToString()); Text(writer, "chain_id", e.ChainId); break;
            case PullEvents.Completed e: Text(writer, "target", e.Target.ToString()); break;
            case PullEvents.Failed e: Write(writer, e.Error); break;
            case TransferEvents.Requested e: Text(writer, "kind", e.Kind); Texts(writer, "images", e.Images); Text(writer, "place", e.Place); break;
            case TransferEvents.Completed e: Texts(writer, "images", e.Images); break;
            case TransferEvents.Failed e: Write(writer, e.Error); break;
            case MountEvents.Activated e: Write(writer, e.Activation); break;
            case MountEvents.Deactivated e: Text(writer, "name", e.Name); Text(writer, "reason", e.Reason); break;
            default: WriteTask(writer, value); break;
        }
    }

    private static void WriteTask(Utf8JsonWriter writer, DomainEvent value)
    {
        switch (value)
        {
            case TaskEvents.CreateRequested e:
                Text(writer, "runtime", e.RuntimeName);
                Text(writer, "bundle", e.Bundle);
                Write(writer, e.Stdio);
                Text(writer, "checkpoint", e.Checkpoint);
                break;
            case TaskEvents.Created e: writer.WriteNumber("pid", e.Pid); break;
            case TaskEvents.CreateFailed e: Write(writer, e.Error); break;
            case TaskEvents.StartRequested e: Text(writer, "exec_id", e.ExecId); break;
            case TaskEvents.Started e: Text(writer, "exec_id", e.ExecId); writer.WriteNumber("pid", e.Pid); break;
            case TaskEvents.StartFailed e: Text(writer, "exec_id", e.ExecId); Write(writer, e.Error); break;
            case TaskEvents.ExecAdded e:
                Text(writer, "exec_id", e.ExecId);
                Write(writer, e.Stdio);
                writer.WriteStartArray("args");
                foreach (string argument in Redaction.Arguments(e.Arguments))
                {
                    writer.WriteStringValue(argument);
                }

                writer.WriteEndArray();
                break;
            case TaskEvents.ExecDeleted e: Text(writer, "exec_id", e.ExecId); break;
            case TaskEvents.KillRequested e:
                Text(writer, "exec_id", e.ExecId);
                writer.WriteNumber("signal", e.Signal);
                writer.WriteBoolean("all", e.All);
                break;
            case TaskEvents.Updated e: Json(writer, "resources", Encoding.UTF8.GetBytes(e.Resources)); break;
            case TaskEvents.Checkpointed e: Text(writer, "path", e.Path); break;
            case TaskEvents.Exited e:
                Text(writer, "exec_id", e.ExecId);
                Write(writer, e.Pid, e.Status, e.ExitedAt);
                Text(writer, "reason", e.Reason);
                break;
            case TaskEvents.Deleted e: Write(writer, e.Pid, e.Status, e.ExitedAt); break;
            case TaskEvents.ShimLost e: Text(writer, "reason", e.Reason); break;
            case IDescribed described: Text(writer, "note", described.Describe()); break;
            default: WriteSandbox(writer, value); break;
        }
    }

    private static void Text(Utf8JsonWriter writer, string name, string value)
    {
        if (value.Length > 0)
        {
            writer.WriteString(name, Redaction.Text(value));
        }
    }

    private static void Write(Utf8JsonWriter writer, ImmutableSortedDictionary<string, string> labels)
    {
        if (labels.Count == 0)
        {
            return;
        }

        writer.WriteStartObject("labels");
        foreach ((string key, string value) in labels)
        {
            writer.WriteString(key, Redaction.IsCredentialName(key) ? Redaction.Mark : Redaction.Text(value));
        }

        writer.WriteEndObject();
    }

    private static void Texts(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (string text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, Error error) => Text(writer, "error", error.Text);

    private static void Write(Utf8JsonWriter writer, uint pid, uint status, DateTimeOffset exitedAt)
    {
        writer.WriteNumber("pid", pid);
        writer.WriteNumber("exit_status", status);
        writer.WriteString("exited_at", exitedAt);
    }

    private static void Write(Utf8JsonWriter writer, PullEvents.Requested requested)
    {
        Text(writer, "reference", requested.Reference);
        Text(writer, "snapshotter", requested.Snapshotter);
        Text(writer, "platform", requested.Platform);
    }

    private static void Write(Utf8JsonWriter writer, string lease, LeaseResource resource)
    {
        Text(writer, "id", lease);
        Text(writer, "type", resource.Type);
        Text(writer, "resource", resource.Id);
    }

    private static void Write(Utf8JsonWriter writer, ImageRecord image)
    {
        Text(writer, "name", image.Name);
        Write(writer, "target", image.Target);
        Write(writer, image.Labels);
    }

    private static void Write(Utf8JsonWriter writer, string name, Descriptor descriptor)
    {
        writer.WriteStartObject(name);
        Text(writer, "media_type", descriptor.MediaType);
        Text(writer, "digest", descriptor.Digest.ToString());
        writer.WriteNumber("size", descriptor.Size);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ContentRecord content)
    {
        Text(writer, "digest", content.Digest.ToString());
        writer.WriteNumber("size", content.Size);
        Write(writer, content.Labels);
    }

    private static void Write(Utf8JsonWriter writer, SnapshotRecord snapshot)
    {
        Text(writer, "snapshotter", snapshot.Snapshotter);
        Text(writer, "key", snapshot.Key);
        Text(writer, "parent", snapshot.Parent);
        Text(writer, "kind", Replay.Word(snapshot.Kind));
        Write(writer, snapshot.Labels);
        if (snapshot.Usage is { } usage)
        {
            writer.WriteNumber("size", usage.Size);
            writer.WriteNumber("inodes", usage.Inodes);
        }
    }

    private static void Write(Utf8JsonWriter writer, ContainerRecord container)
    {
        Text(writer, "id", container.Id);
        Text(writer, "image", container.Image);
        Text(writer, "runtime", container.RuntimeName);
        Text(writer, "snapshotter", container.Snapshotter);
        Text(writer, "snapshot_key", container.SnapshotKey);
        Text(writer, "sandbox", container.Sandbox);
        Write(writer, container.Labels);
        Write(writer, "runtime_options", container.RuntimeOptions);
        if (container.Spec is { } spec)
        {
            Json(writer, "spec", spec.Value);
        }

        if (container.Extensions.Count > 0)
        {
            writer.WriteStartObject("extensions");
            foreach ((string key, AnyValue extension) in container.Extensions)
            {
                Write(writer, key, extension);
            }

            writer.WriteEndObject();
        }
    }

    private static void Write(Utf8JsonWriter writer, ProcessStdio stdio)
    {
        Text(writer, "stdin", stdio.Stdin);
        Text(writer, "stdout", stdio.Stdout);
        Text(writer, "stderr", stdio.Stderr);
        if (stdio.Terminal)
        {
            writer.WriteBoolean("terminal", true);
        }
    }

    /// <summary>Opaque values are named and measured, never shown: nobody here knows what is secret in them.</summary>
    private static void Write(Utf8JsonWriter writer, string name, AnyValue? value)
    {
        if (value is not null)
        {
            writer.WriteStartObject(name);
            writer.WriteString("type_url", value.TypeUrl);
            writer.WriteNumber("bytes", value.Value.Length);
            writer.WriteEndObject();
        }
    }

    private static void Json(Utf8JsonWriter writer, string name, ReadOnlyMemory<byte> json)
    {
        writer.WritePropertyName(name);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            Redaction.Copy(writer, document.RootElement);
        }
        catch (JsonException)
        {
            writer.WriteStringValue($"{json.Length} bytes that are not JSON");
        }
    }
}

/// <summary>Implemented by events outside of Core that have something to say in a rendering.</summary>
public interface IDescribed
{
    /// <summary>One line for people, without secrets.</summary>
    string Describe();
}
