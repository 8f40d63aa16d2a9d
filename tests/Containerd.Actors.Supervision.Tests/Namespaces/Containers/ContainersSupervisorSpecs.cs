// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers;

public class ContainersSupervisorSpecs : ContainersFixture
{
    [Fact]
    public async Task A_container_is_announced_before_its_creation_is_answered()
    {
        await CreateContainer("a");
        Assert.Equal("a", Assert.Single(Announced.OfType<ContainerRoots.Set>()).Root.SnapshotKey);
    }

    [Fact]
    public async Task Lists_know_a_container_and_a_task_as_soon_as_they_are_answered()
    {
        await Run("b");
        await CreateContainer("a");
        Assert.Equal(["a", "b"], (await Do(new ContainerQueries.List(Ns, By))).Select(container => container.Id));
        Assert.Equal(("b", ProcessStatus.Running), (await Do(new TaskQueries.List(Ns, By))).Select(task => (task.Id, task.Status)).Single());
        await Do(new ContainerCommands.Delete(Ns, "a", By));
        Assert.Equal(["b"], (await Do(new ContainerQueries.List(Ns, By))).Select(container => container.Id));
        Assert.Equal("a", Announced.OfType<ContainerRoots.Remove>().Single().ContainerId);
    }

    [Fact]
    public async Task What_does_not_exist_is_refused_by_name()
    {
        Assert.Equal("container \"c\" in namespace \"default\": not found", await Refusal(new ContainerQueries.Get(Ns, "c", By)));
        Assert.Equal("container c: not found", await Refusal(new ContainerCommands.Delete(Ns, "c", By)));
        Assert.Equal("container \"c\" in namespace \"default\": not found", await Refusal(new TaskQueries.Get(Ns, "c", "", By)));
        await CreateContainer("c");
        Assert.Equal("task c not found", await Refusal(new TaskQueries.Get(Ns, "c", "", By)));
        Assert.Equal("task c not found", await Refusal(new TaskCommands.Kill(Ns, "c", "", 9, false, By)));
    }

    [Fact]
    public async Task A_container_may_be_made_again_and_again_under_the_same_id()
    {
        for (int round = 0; round < 20; round++)
        {
            await CreateContainer("a");
            Assert.Equal("container \"a\": already exists", await Refusal(
                new ContainerCommands.Create(Ns, (await Do(new ContainerQueries.Get(Ns, "a", By))), By)));
            await Do(new ContainerCommands.Delete(Ns, "a", By));
        }
    }

    [Fact]
    public async Task A_record_is_removed_beside_its_task_and_the_task_is_found_again_with_a_new_record()
    {
        await Run("a");
        await Do(new ContainerCommands.Delete(Ns, "a", By));
        Assert.Single(await Do(new TaskQueries.List(Ns, By)));
        await CreateContainer("a");
        Assert.Equal(ProcessStatus.Running, (await Get("a")).Status);
    }

    [Fact]
    public async Task After_a_restart_everything_is_announced_and_listed()
    {
        await Run("b");
        await CreateContainer("a");
        await Restart();
        Assert.Equal(["a", "b"], (await Do(new ContainerQueries.List(Ns, By))).Select(container => container.Id));
        Assert.Single(await Do(new TaskQueries.List(Ns, By)));
        Assert.Equal(["a", "b"], Announced.OfType<ContainerRoots.Set>().Select(set => set.Root.ContainerId).Order());
        Assert.IsType<ContainerRoots.Complete>(Announced[^1]);
    }

    [Fact]
    public async Task After_a_restart_bundles_of_tasks_that_the_journal_does_not_know_are_removed()
    {
        await Run("a");
        await CreateContainer("b");
        World.Strays.Add("a");
        World.Strays.Add("b");
        World.Strays.Add("c");
        await Restart();
        await Do(new ContainerQueries.List(Ns, By));
        Assert.Equal(["remove stray b", "remove stray c"], World.Deeds.Where(deed => deed.StartsWith("remove", StringComparison.Ordinal)).Order());
    }
}
