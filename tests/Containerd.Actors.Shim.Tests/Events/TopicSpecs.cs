// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Shim.Events;

namespace Containerd.Actors.Shim.Tests.Events;

public sealed class TopicSpecs
{
    [Theory]
    [InlineData("TaskCreate", "/tasks/create")]
    [InlineData("TaskStart", "/tasks/start")]
    [InlineData("TaskExit", "/tasks/exit")]
    [InlineData("TaskDelete", "/tasks/delete")]
    [InlineData("TaskPaused", "/tasks/paused")]
    [InlineData("TaskResumed", "/tasks/resumed")]
    [InlineData("TaskOOM", "/tasks/oom")]
    [InlineData("TaskExecAdded", "/tasks/exec-added")]
    [InlineData("TaskExecStarted", "/tasks/exec-started")]
    public void Every_event_has_its_topic(string kind, string topic) => Assert.Equal(topic, EventPublisher.TopicOf(kind));
}
