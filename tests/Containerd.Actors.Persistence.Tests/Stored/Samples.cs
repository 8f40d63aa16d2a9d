// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Text;
using Containerd.Actors.Core.Containers;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Node;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Core.Sandboxes;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Core.Transfers;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Persistence.Stored;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Persistence.Tests.Stored;

/// <summary>One event of every kind, with every field set to something that is not its default.</summary>
internal static class Samples
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, 7, TimeSpan.Zero);
    private static readonly ImmutableSortedDictionary<string, string> Some = Labels.From([new("a", "1"), new("b", "é")]);
    private static readonly Digest Blob = Digest.Of("blob"u8);
    private static readonly Error Missing = Error.NotFound("image \"x\"");
    private static readonly ProcessStdio Stdio = new("/in", "/out", "/err", true);

    private static readonly Descriptor Target = new("application/vnd.oci.image.manifest.v1+json", Blob, 42)
    {
        Annotations = Some,
        Urls = ["https://example.test/blob"],
        Platform = new Platform("linux", "arm64", "v8") { OsVersion = "1.2" },
    };

    private static readonly ImageRecord Image = new("docker.io/library/redis:7", Target, Some, Noon, Noon.AddSeconds(1));

    private static readonly ContentRecord Content = new(Blob, 42, Some, Noon, Noon.AddSeconds(1));

    private static readonly SnapshotRecord Snapshot =
        new("overlayfs", "key", "parent", SnapshotKind.Active, Some, 7, null, Noon, Noon.AddSeconds(1));

    private static readonly ContainerRecord Container = new("redis")
    {
        Labels = Some,
        Image = "docker.io/library/redis:7",
        RuntimeName = "io.containerd.runc.v2",
        RuntimeOptions = new AnyValue("containerd.runc.v1.Options", new byte[] { 1, 2 }),
        Spec = new AnyValue("types.containerd.io/opencontainers/runtime-spec/1/Spec", Encoding.UTF8.GetBytes("{\"ociVersion\":\"1.1.0\"}")),
        Snapshotter = "overlayfs",
        SnapshotKey = "redis",
        Extensions = ImmutableSortedDictionary.Create<string, AnyValue>(StringComparer.Ordinal).Add("x", new AnyValue("t", new byte[] { 3 })),
        Sandbox = "pod",
        CreatedAt = Noon,
        UpdatedAt = Noon.AddSeconds(1),
    };

    private static readonly SandboxRecord Sandbox = new("pod")
    {
        Labels = Some,
        RuntimeName = "io.containerd.runc.v2",
        RuntimeOptions = new AnyValue("containerd.runc.v1.Options", new byte[] { 1, 2 }),
        Spec = new AnyValue("types.containerd.io/opencontainers/runtime-spec/1/Spec", Encoding.UTF8.GetBytes("{\"ociVersion\":\"1.1.0\"}")),
        Extensions = ImmutableSortedDictionary.Create<string, AnyValue>(StringComparer.Ordinal).Add("x", new AnyValue("t", new byte[] { 3 })),
        Sandboxer = "shim",
        CreatedAt = Noon,
        UpdatedAt = Noon.AddSeconds(1),
    };

    public static IReadOnlyList<DomainEvent> All { get; } =
    [
        new NamespaceEvents.Created(Some),
        new NamespaceEvents.Updated(Some),
        new NamespaceEvents.Deleted(),
        new ImageEvents.Created(Image),
        new ImageEvents.Updated(Image),
        new ImageEvents.Deleted("docker.io/library/redis:7"),
        new LeaseEvents.Created("lease", Some, Noon),
        new LeaseEvents.Deleted("lease"),
        new LeaseEvents.ResourceAdded("lease", new LeaseResource("content", Blob.ToString())),
        new LeaseEvents.ResourceRemoved("lease", new LeaseResource("snapshots/overlayfs", "key")),
        new ContentEvents.Added(Content),
        new ContentEvents.Updated(Content),
        new ContentEvents.Removed(Blob),
        new SnapshotEvents.Prepared(Snapshot),
        new SnapshotEvents.Committed("key", Snapshot with { Key = "name", Kind = SnapshotKind.Committed, Usage = new SnapshotUsage(4096, 3) }),
        new SnapshotEvents.Updated(Snapshot with { Kind = SnapshotKind.View }),
        new SnapshotEvents.Removed("overlayfs", "key"),
        new MountEvents.Activated(new Activation(
            "redis",
            7,
            [new ActiveMount(new Mount("erofs", "/layer.erofs", "sub", ["ro"]), "/t/7/0", Noon.AddSeconds(1))],
            [new Mount("overlay", "overlay", "", ["lowerdir=/t/7/0"])],
            Some,
            "lease",
            Noon)),
        new MountEvents.Deactivated("redis", "nothing is mounted on /t/7/0 any more"),
        new ContainerEvents.Created(Container),
        new ContainerEvents.Updated(Container),
        new ContainerEvents.Deleted(),
        new TaskEvents.CreateRequested("io.containerd.runc.v2", "/run/bundle", Stdio, "/checkpoint"),
        new TaskEvents.Created(7),
        new TaskEvents.CreateFailed(Missing),
        new TaskEvents.StartRequested("exec"),
        new TaskEvents.Started("exec", 7),
        new TaskEvents.StartFailed("exec", Missing),
        new TaskEvents.ExecAdded("exec", Stdio, ["sh", "-c", "true"]),
        new TaskEvents.ExecDeleted("exec"),
        new TaskEvents.KillRequested("exec", 15, true),
        new TaskEvents.Paused(),
        new TaskEvents.Resumed(),
        new TaskEvents.Updated("{\"memory\":{\"limit\":1}}"),
        new TaskEvents.Checkpointed("/checkpoint"),
        new TaskEvents.OutOfMemory(),
        new TaskEvents.Exited("exec", 7, 137, Noon, "killed"),
        new TaskEvents.DeleteRequested(),
        new TaskEvents.Deleted(7, 137, Noon),
        new TaskEvents.ShimLost("connection reset"),
        new SandboxEvents.Created(Sandbox),
        new SandboxEvents.Updated(Sandbox),
        new SandboxEvents.Deleted(true),
        new SandboxEvents.RunRequested("shim", "io.containerd.runc.v2", "/run/netns/pod"),
        new SandboxEvents.RunCreated("ttrpc+unix:///run/s", 3),
        new SandboxEvents.RunFailed(Missing, true),
        new SandboxEvents.StartRequested(),
        new SandboxEvents.Started(7, Noon),
        new SandboxEvents.StopRequested(10),
        new SandboxEvents.Exited(137, Noon),
        new SandboxEvents.ShutdownRequested(),
        new SandboxEvents.ShutDown(true),
        new SandboxEvents.Lost("connection reset", true),
        new PullEvents.Requested("docker.io/library/redis:7", "overlayfs", "linux/arm64/v8"),
        new PullEvents.Resolved(Target),
        new PullEvents.LayerUnpacked(Blob, "sha256:chain"),
        new PullEvents.Completed(Blob),
        new PullEvents.Failed(Missing),
        new TransferEvents.Requested("push", ["docker.io/library/redis:7"], "r.test/redis:7"),
        new TransferEvents.Completed(["docker.io/library/redis:7@sha256:target"]),
        new TransferEvents.Failed(Missing),
        new NodeEvents.DaemonStarted("0.1.0", 7),
        new NodeEvents.DaemonStopped(7),
        new NodeEvents.Published("/topic", new AnyValue("t", new byte[] { 1 })),
        new RetentionEvents.Removed("task/default/redis", 9),
    ];
}
