// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Containers;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Audit;

public sealed class ReplaySpecs
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly Replay _replay = new();
    private ulong _cursor;

    [Fact]
    public void A_container_and_its_task_stand_as_their_events_say()
    {
        Container(new ContainerEvents.Created(new ContainerRecord("a/b") { Image = "redis" }));
        Task(new TaskEvents.Created(7));
        Assert.Equal(("created", 7u), (One.TaskStatus, One.Pid));
        Task(new TaskEvents.Started("", 7));
        Task(new TaskEvents.Started("exec", 8));
        Assert.Equal(("running", 7u), (One.TaskStatus, One.Pid));
        Task(new TaskEvents.Paused());
        Assert.Equal("paused", One.TaskStatus);
        Task(new TaskEvents.Resumed());
        Task(new TaskEvents.Exited("exec", 8, 1, Noon, ""));
        Assert.Equal("running", One.TaskStatus);
        Task(new TaskEvents.Exited("", 7, 137, Noon, ""));
        Assert.Equal(("stopped", 137u, (DateTimeOffset?)Noon), (One.TaskStatus, One.ExitStatus, One.ExitedAt));
        Task(new TaskEvents.Deleted(7, 137, Noon));
        Assert.Equal(("", 0u, 0u), (One.TaskStatus, One.Pid, One.ExitStatus));
        Assert.Equal(("default", "a/b", "redis"), (One.Namespace, One.Id, One.Record?.Image));
        Container(new ContainerEvents.Deleted());

        Assert.Empty(_replay.Containers);
        Assert.Equal(_cursor, _replay.Cursor);
    }

    [Fact]
    public void A_task_that_could_not_be_created_leaves_no_trace()
    {
        Task(new TaskEvents.CreateFailed(Error.NotFound("runtime")));

        Assert.Empty(_replay.Containers);
    }

    [Fact]
    public void Images_and_snapshots_come_change_and_go()
    {
        ImageRecord image = new("redis", new Descriptor("m", Digest.Of("x"u8), 1), Labels.None, Noon, Noon);
        SnapshotRecord snapshot = new("overlayfs", "active", "", SnapshotKind.Active, Labels.None, 1, null, Noon, Noon);
        Apply("namespace/default", new ImageEvents.Created(image));
        Apply("namespace/default", new SnapshotEvents.Prepared(snapshot));
        Apply("namespace/default", new SnapshotEvents.Committed("active", snapshot with { Key = "layer", Kind = SnapshotKind.Committed }));

        Assert.Equal("redis", Assert.Single(_replay.Images).Image.Name);
        Assert.Equal(("layer", SnapshotKind.Committed), (_replay.Snapshots.Single().Snapshot.Key, _replay.Snapshots.Single().Snapshot.Kind));

        Apply("namespace/default", new ImageEvents.Deleted("redis"));
        Apply("namespace/default", new SnapshotEvents.Removed("overlayfs", "layer"));
        Assert.Empty(_replay.Images);
        Assert.Empty(_replay.Snapshots);
    }

    private ReplayedContainer One => Assert.Single(_replay.Containers);

    private void Container(DomainEvent value) => Apply(EntityIds.Container("default", "a/b"), value);

    private void Task(DomainEvent value) => Apply(EntityIds.Task("default", "a/b"), value);

    private void Apply(string entity, DomainEvent value) =>
        _replay.Apply(new JournalRecord(++_cursor, entity, 1, new Recorded("default", value, Caller.Kernel, Noon), default));
}
