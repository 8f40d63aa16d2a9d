// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Containers;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Containers;

public class ContainerStateSpecs
{
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly ContainerRecord Good = new("redis") { RuntimeName = "io.containerd.runc.v2", Spec = new AnyValue("spec", new byte[] { 1 }) };

    public static TheoryData<ContainerRecord, string> Refused() => new()
    {
        { Good with { RuntimeName = "" }, "create container failed validation: container.Runtime.Name must be set: invalid argument" },
        { Good with { Spec = null }, "create container failed validation: container.Spec must be set: invalid argument" },
        { Good with { SnapshotKey = "k" }, "create container failed validation: container.Snapshotter must be set if container.SnapshotKey is set: invalid argument" },
        {
            Good with { Labels = Labels.From([KeyValuePair.Create("k", new string('v', 4096))]) },
            "create container failed validation: containers.Labels: label key and value length (4097 bytes) greater than maximum size (4096 bytes), key: k: invalid argument"
        },
        {
            Good with { Id = "bad id!" },
            "create container failed validation: container.ID: identifier \"bad id!\" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument"
        },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_record_that_breaks_a_rule_is_refused(ContainerRecord record, string text)
    {
        Decision<ContainerRecord> decision = new ContainerState("ns", record.Id).Decide(new ContainerCommands.Create("ns", record, Caller.Kernel), Now);
        Assert.Equal(text, Assert.IsType<Refused<ContainerRecord>>(decision.Reply).Error.Text);
        Assert.Empty(decision.Events);
    }

    [Fact]
    public void A_record_is_stored_with_the_daemons_times_and_without_empty_labels()
    {
        ContainerRecord record = Existing(Good with { Labels = Labels.From([KeyValuePair.Create("a", ""), KeyValuePair.Create("b", "c")]) }).Record!;
        Assert.Equal((Now, Now), (record.CreatedAt, record.UpdatedAt));
        Assert.Equal(["b"], record.Labels.Keys);
    }

    [Fact]
    public void A_second_record_of_the_same_id_is_refused() => Assert.Equal(
        "container \"redis\": already exists",
        ((Refused<ContainerRecord>)Existing(Good).Decide(new ContainerCommands.Create("ns", Good, Caller.Kernel), Now).Reply).Error.Text);

    [Fact]
    public void An_update_without_a_mask_may_not_change_the_runtime()
    {
        ContainerCommands.Update update = new("ns", Good with { RuntimeName = "other" }, [], Caller.Kernel);
        Assert.Equal(
            "container.Runtime.Name field is immutable: invalid argument",
            ((Refused<ContainerRecord>)Existing(Good).Decide(update, Now).Reply).Error.Text);
    }

    [Fact]
    public void An_update_with_a_mask_changes_what_it_names_and_the_time()
    {
        ContainerCommands.Update update = new(
            "ns", Good with { Image = "new", Labels = Labels.From([KeyValuePair.Create("x", "y")]) }, ["labels.x"], Caller.Kernel);
        ContainerRecord updated = Existing(Good).Decide(update, Now.AddHours(1)).Reply.Value;
        Assert.Equal(("y", "", Now, Now.AddHours(1)), (updated.Labels["x"], updated.Image, updated.CreatedAt, updated.UpdatedAt));
    }

    [Fact]
    public void What_does_not_exist_is_neither_changed_nor_removed()
    {
        ContainerState none = new("ns", "redis");
        Assert.Equal(
            "container \"redis\": not found",
            ((Refused<ContainerRecord>)none.Decide(new ContainerCommands.Update("ns", Good, [], Caller.Kernel), Now).Reply).Error.Text);
        Assert.Equal(ErrorKind.NotFound, ((Refused<Nothing>)none.Decide(new ContainerCommands.Delete("ns", "redis", Caller.Kernel)).Reply).Error.Kind);
    }

    [Fact]
    public void A_removed_record_is_gone() => Assert.Null(
        Existing(Good).Decide(new ContainerCommands.Delete("ns", "redis", Caller.Kernel)).Events
            .Aggregate(Existing(Good), (state, e) => state.Apply(e)).Record);

    private static ContainerState Existing(ContainerRecord record)
    {
        ContainerState none = new("ns", record.Id);
        ImmutableArray<DomainEvent> events = none.Decide(new ContainerCommands.Create("ns", record, Caller.Kernel), Now).Events;
        return events.Aggregate(none, (state, e) => state.Apply(e));
    }
}
