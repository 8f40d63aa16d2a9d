// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks;

public sealed class TaskJournalFailureSpecs : ContainersFixture
{
    [Fact]
    public async Task A_request_that_cannot_be_stored_is_refused_not_carried_out_and_may_succeed_later()
    {
        await CreateContainer("c");
        await Do(CreateTask("c"));
        FailingJournal.Failing = EntityIds.Task(Ns, "c");
        try
        {
            Assert.Contains("no space left on device", await Refusal(new TaskCommands.Start(Ns, "c", "", By)), StringComparison.Ordinal);
            Assert.DoesNotContain("Start c", World.Deeds);
        }
        finally
        {
            FailingJournal.Failing = "";
        }

        await Until(async () => await Ask(new TaskCommands.Start(Ns, "c", "", By)) is Done<uint>);
        Assert.Equal(ProcessStatus.Running, (await Get("c")).Status);
    }
}
