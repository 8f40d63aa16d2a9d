// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Containers;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Node;
using Containerd.Actors.Core.Sandboxes;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Values;
using Containerd.Events;
using Containerd.Services.Images.V1;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Supervision.Events;

/// <summary>containerd's events as a projection of the journal: what subscribers see is what was stored, in the order it was stored.</summary>
/// <remarks>
/// The only memory is what a task was asked to be created with, since containerd tells it together with the process id, which comes
/// one event later.
/// </remarks>
public sealed class EventProjection
{
    private readonly Dictionary<string, TaskEvents.CreateRequested> _creating = [];

    /// <summary>The publication that a record stands for; null for what containerd does not publish.</summary>
    public Publication? Project(JournalRecord record)
    {
        Recorded recorded = record.Recorded;
        if (recorded.Event is NodeEvents.Published published)
        {
            return new Publication(recorded.Namespace, published.Topic, recorded.At, published.Payload);
        }

        return Message(record) is var (topic, message)
            ? new Publication(recorded.Namespace, topic, recorded.At, new AnyValue(message.Descriptor.FullName, message.ToByteArray()))
            : null;
    }

    private (string Topic, IMessage Message)? Message(JournalRecord record)
    {
        string id = record.Entity[(record.Entity.LastIndexOf('/') + 1)..];
        return record.Recorded.Event switch
        {
            NamespaceEvents.Created e => ("/namespaces/create", Labelled(new NamespaceCreate { Name = id }, e.Labels)),
            NamespaceEvents.Updated e => ("/namespaces/update", Labelled(new NamespaceUpdate { Name = id }, e.Labels)),
            NamespaceEvents.Deleted => ("/namespaces/delete", new NamespaceDelete { Name = id }),
            ImageEvents.Created e => ("/images/create", Labelled(new ImageCreate { Name = e.Image.Name }, e.Image.Labels)),
            ImageEvents.Updated e => ("/images/update", Labelled(new ImageUpdate { Name = e.Image.Name }, e.Image.Labels)),
            ImageEvents.Deleted e => ("/images/delete", new ImageDelete { Name = e.Name }),
            ContentEvents.Added e => (
                "/content/create",
                new ContentCreate { Digest = e.Content.Digest.ToString(), Size = e.Content.Size }),
            // containerd tells of images and snapshots that garbage collection takes, and not of content.
            ContentEvents.Removed when record.Recorded.By.Principal.Kind == PrincipalKind.Policy => null,
            ContentEvents.Removed e => ("/content/delete", new ContentDelete { Digest = e.Digest.ToString() }),
            SnapshotEvents.Prepared { Snapshot: { Kind: SnapshotKind.Active } s } => (
                "/snapshot/prepare",
                new SnapshotPrepare { Key = s.Key, Parent = s.Parent, Snapshotter = s.Snapshotter }),
            SnapshotEvents.Committed e => (
                "/snapshot/commit",
                new SnapshotCommit { Key = e.Key, Name = e.Snapshot.Key, Snapshotter = e.Snapshot.Snapshotter }),
            SnapshotEvents.Removed e => (
                "/snapshot/remove",
                new SnapshotRemove { Key = e.Key, Snapshotter = e.Snapshotter }),
            ContainerEvents.Created e => (
                "/containers/create",
                new ContainerCreate
                {
                    Id = id,
                    Image = e.Container.Image,
                    Runtime = new ContainerCreate.Types.Runtime { Name = e.Container.RuntimeName, Options = ToAny(e.Container.RuntimeOptions) },
                }),
            ContainerEvents.Updated e => (
                "/containers/update",
                Labelled(new ContainerUpdate { Id = id, Image = e.Container.Image, SnapshotKey = e.Container.SnapshotKey }, e.Container.Labels)),
            SandboxEvents.RunCreated => ("/sandboxes/create", new SandboxCreate { SandboxId = id }),
            SandboxEvents.Started => ("/sandboxes/start", new SandboxStart { SandboxId = id }),
            SandboxEvents.Exited e => (
                "/sandboxes/exit",
                new SandboxExit { SandboxId = id, ExitStatus = e.Status, ExitedAt = Timestamp.FromDateTimeOffset(e.ExitedAt) }),
            ContainerEvents.Deleted => ("/containers/delete", new ContainerDelete { Id = id }),
            _ => TaskMessage(record.Entity, id, record.Recorded.Event),
        };
    }

    private (string Topic, IMessage Message)? TaskMessage(string entity, string id, DomainEvent recorded)
    {
        switch (recorded)
        {
            case TaskEvents.CreateRequested e:
                _creating[entity] = e;
                return null;
            case TaskEvents.CreateFailed:
                _creating.Remove(entity);
                return null;
            case TaskEvents.Created e:
                _creating.Remove(entity, out TaskEvents.CreateRequested? asked);
                return ("/tasks/create", Created(id, e.Pid, asked));
            case TaskEvents.Started { ExecId: "" } e:
                return ("/tasks/start", new TaskStart { ContainerId = id, Pid = e.Pid });
            case TaskEvents.Started e:
                return ("/tasks/exec-started", new TaskExecStarted { ContainerId = id, ExecId = e.ExecId, Pid = e.Pid });
            case TaskEvents.ExecAdded e:
                return ("/tasks/exec-added", new TaskExecAdded { ContainerId = id, ExecId = e.ExecId });
            case TaskEvents.Exited e:
                string process = e.ExecId.Length == 0 ? id : e.ExecId;
                return ("/tasks/exit", new TaskExit { ContainerId = id, Id = process, Pid = e.Pid, ExitStatus = e.Status, ExitedAt = Timestamp.FromDateTimeOffset(e.ExitedAt) });
            case TaskEvents.Deleted e:
                return ("/tasks/delete", new TaskDelete { ContainerId = id, Pid = e.Pid, ExitStatus = e.Status, ExitedAt = Timestamp.FromDateTimeOffset(e.ExitedAt) });
            case TaskEvents.Paused:
                return ("/tasks/paused", new TaskPaused { ContainerId = id });
            case TaskEvents.Resumed:
                return ("/tasks/resumed", new TaskResumed { ContainerId = id });
            case TaskEvents.OutOfMemory:
                return ("/tasks/oom", new TaskOOM { ContainerId = id });
            case TaskEvents.Checkpointed e:
                return ("/tasks/checkpointed", new TaskCheckpointed { ContainerId = id, Checkpoint = e.Path });
            default:
                return null;
        }
    }

    private static TaskCreate Created(string id, uint pid, TaskEvents.CreateRequested? asked) => new()
    {
        ContainerId = id,
        Pid = pid,
        Bundle = asked?.Bundle ?? "",
        Checkpoint = asked?.Checkpoint ?? "",
        Io = asked is null
            ? null
            : new TaskIO { Stdin = asked.Stdio.Stdin, Stdout = asked.Stdio.Stdout, Stderr = asked.Stdio.Stderr, Terminal = asked.Stdio.Terminal },
    };

    private static Any? ToAny(AnyValue? value) =>
        value is null ? null : new Any { TypeUrl = value.TypeUrl, Value = ByteString.CopyFrom(value.Value.Span) };

    private static NamespaceCreate Labelled(NamespaceCreate message, IReadOnlyDictionary<string, string> labels) => With(message, message.Labels, labels);

    private static NamespaceUpdate Labelled(NamespaceUpdate message, IReadOnlyDictionary<string, string> labels) => With(message, message.Labels, labels);

    private static ImageCreate Labelled(ImageCreate message, IReadOnlyDictionary<string, string> labels) => With(message, message.Labels, labels);

    private static ImageUpdate Labelled(ImageUpdate message, IReadOnlyDictionary<string, string> labels) => With(message, message.Labels, labels);

    private static ContainerUpdate Labelled(ContainerUpdate message, IReadOnlyDictionary<string, string> labels) => With(message, message.Labels, labels);

    private static T With<T>(T message, MapField<string, string> target, IReadOnlyDictionary<string, string> labels)
    {
        foreach ((string name, string value) in labels)
        {
            target[name] = value;
        }

        return message;
    }
}
