// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Filters;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Events;
using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Values;
using Containerd.Events;
using Containerd.Services.Images.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Tests.Events;

public sealed class EventFieldsSpecs
{
    private static readonly TaskCreate Created = new()
    {
        ContainerId = "redis",
        Bundle = "/run/b",
        Pid = 7,
        Io = new TaskIO { Stdout = "/fifo/out", Terminal = true },
    };

    [Theory]
    [InlineData("namespace==default", true)]
    [InlineData("namespace==other", false)]
    [InlineData("topic==\"/t\"", true)]
    [InlineData("topic~=|^/t|,namespace==default", true)]
    [InlineData("event", false)]
    [InlineData("nonsense", false)]
    public void The_envelope_has_namespace_and_topic(string filter, bool matches) => Assert.Equal(matches, Matches(filter, Created));

    [Theory]
    [InlineData("event.container_id==redis", true)]
    [InlineData("event.bundle~=^/run/", true)]
    [InlineData("event.io.stdout==\"/fifo/out\"", true)]
    [InlineData("event.io.terminal==true", true)]
    [InlineData("event.io.stdin", false)]
    [InlineData("event.checkpoint", false)]
    [InlineData("event.checkpoint!=x", true)]
    [InlineData("event.pid", false)]
    [InlineData("event.rootfs", false)]
    [InlineData("event.io", false)]
    public void Texts_and_truth_values_are_found_nested_ones_too_and_numbers_are_not(string filter, bool matches) =>
        Assert.Equal(matches, Matches(filter, Created));

    [Fact]
    public void A_truth_value_that_is_not_on_the_wire_is_false_if_its_message_is_there()
    {
        Assert.True(Matches("event.io.terminal==false", new TaskCreate { ContainerId = "c", Io = new TaskIO { Stdin = "x" } }));
        Assert.False(Matches("event.io.terminal", new TaskCreate { ContainerId = "c" }));
    }

    [Theory]
    [InlineData("event.labels.tier==gold", true)]
    [InlineData("event.labels.\"a/b.c\"==d", true)]
    [InlineData("event.labels.a.b==joined", true)]
    [InlineData("event.labels.none", false)]
    [InlineData("event.name==docker.io/library/redis:7", true)]
    public void Labels_are_found_by_their_names(string filter, bool matches) => Assert.Equal(
        matches,
        Matches(filter, new ImageCreate { Name = "docker.io/library/redis:7", Labels = { ["tier"] = "gold", ["a/b.c"] = "d", ["a.b"] = "joined" } }));

    [Fact]
    public void A_runtime_is_found_by_name() => Assert.True(Matches(
        "event.runtime.name==io.containerd.runc.v2",
        new ContainerCreate { Id = "c", Runtime = new ContainerCreate.Types.Runtime { Name = "io.containerd.runc.v2", Options = new Any { TypeUrl = "x" } } }));

    [Theory]
    [InlineData("type.googleapis.com/containerd.events.TaskCreate")]
    [InlineData("example.Unknown")]
    public void Under_another_name_a_payload_has_no_fields(string name) =>
        Assert.False(FilterSet.Parse(["event.container_id"]).Matches(EventFields.Of(With(new AnyValue(name, Created.ToByteArray())))));

    [Fact]
    public void A_payload_that_is_not_what_it_says_has_no_fields_and_hurts_nobody() => Assert.False(
        FilterSet.Parse(["event.container_id"]).Matches(EventFields.Of(With(new AnyValue("containerd.events.TaskCreate", new byte[] { 10, 200, 1 })))));

    private static bool Matches(string filter, IMessage payload) =>
        FilterSet.Parse([filter]).Matches(EventFields.Of(With(payload.ToBareAny().ToValue()!)));

    private static Publication With(AnyValue payload) => new("default", "/t", DateTimeOffset.UnixEpoch, payload);
}
