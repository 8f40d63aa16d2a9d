// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Tasks;

public sealed class TaskCheckpointSpecs
{
    private static readonly Digest Image = Digest.Of([1]);
    private static readonly ProcessStdio Stdio = new("", "", "", false);

    [Fact]
    public void A_task_is_restored_from_an_image_of_processes_and_from_nothing_else()
    {
        Assert.Equal("unsupported checkpoint type \"text/plain\"", Refusal(Create("text/plain")));
        TaskStep step = new TaskState("redis").Decide(Create(CheckpointCommands.ImageType));
        Assert.Equal(Image.ToString(), Assert.IsType<TaskEvents.CreateRequested>(Assert.Single(step.Events)).Checkpoint);
    }

    [Theory]
    [InlineData("other.Options", "x", "invalid task checkpoint option for io.containerd.runc.v2")]
    [InlineData("other.Options", "", null)]
    [InlineData("containerd.runc.v1.CheckpointOptions", "x", null)]
    public void Options_for_an_image_are_of_one_type(string type, string value, string? refusal)
    {
        DomainEvent[] life = [new TaskEvents.CreateRequested(TaskCreation.Runc, "/b", Stdio, ""), new TaskEvents.Created(1), new TaskEvents.Started("", 1)];
        TaskState running = life.Aggregate(new TaskState("redis"), (state, e) => state.Apply(e));
        TaskStep step = running.Decide(
            new TaskCommands.Checkpoint("ns", "redis", "/p", new AnyValue(type, System.Text.Encoding.UTF8.GetBytes(value)), Caller.Kernel));
        Assert.Equal(refusal, (step.Answer as TaskAnswer.Refusal)?.Error.Text);
    }

    private static TaskCreation Create(string mediaType) => new(
        new TaskCommands.Create("ns", "redis", [], Stdio, Caller.Kernel) { Checkpoint = new Descriptor(mediaType, Image, 1) },
        new ContainerRecord("redis") { RuntimeName = TaskCreation.Runc },
        "/b");

    private static string Refusal(TaskCreation creation) =>
        Assert.IsType<TaskAnswer.Refusal>(new TaskState("redis").Decide(creation).Answer).Error.Text;
}
