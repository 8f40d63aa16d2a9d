// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Namespaces;

namespace Containerd.Actors.Supervision.Tests.Namespaces;

public sealed class NamespaceActorSpecs : NamespacesFixture
{
    private static readonly NamespaceCommands.Collect Collect = new(Ns, [], By);

    [Fact]
    public async Task What_was_answered_is_there_after_a_restart()
    {
        IActorRef first = Namespace();
        foreach (string name in new[] { "a", "b", "c", "d", "e" })
        {
            await Do(first, Image(name));
        }

        await first.GracefulStop(TimeSpan.FromSeconds(5));
        Assert.Equal(["a", "b", "c", "d", "e"], (await Do(Namespace(), State())).Images.Keys);
    }

    [Fact]
    public async Task A_failing_journal_refuses_all_that_wait_and_loses_nothing_that_was_answered()
    {
        IActorRef first = Namespace();
        await Do(first, Image("kept"));
        Watch(first);
        Task<string> failed = Refusal(first, Image(FailingJournal.Name));
        Task<Reply<Core.Images.ImageRecord>> behind = Ask(first, Image("behind"));
        Assert.Equal("namespace/default: journal: no space left on device: unavailable", await failed);
        ExpectTerminated(first);
        NamespaceState state = await Do(Namespace(), State());
        Assert.Contains("kept", state.Images.Keys);
        Assert.DoesNotContain(FailingJournal.Name, state.Images.Keys);
        if (behind.IsCompletedSuccessfully && await behind is Done<Core.Images.ImageRecord>)
        {
            Assert.Contains("behind", state.Images.Keys);
        }
    }

    [Fact]
    public async Task A_lease_without_an_id_gets_one()
    {
        LeaseRecord lease = await Do(Namespace(), new LeaseCommands.Create(Ns, "", Labels.None, By));
        Assert.Matches("^[0-9]{1,9}-[A-Za-z0-9_-]{4}$", lease.Id);
    }

    [Fact]
    public async Task Nothing_is_collected_or_deleted_before_all_containers_said_what_they_keep()
    {
        IActorRef ns = Namespace(Containers());
        await Do(ns, Blob(7));
        const string Error = "namespace \"default\": its containers are being recovered: unavailable";
        Assert.Equal(Error, await Refusal(ns, Collect));
        Assert.Equal(Error, await Refusal(ns, new NamespaceCommands.Delete(Ns, By)));
        ns.Tell(new ContainerRoots.Complete(Ns));
        Assert.Single((await Do(ns, Collect)).Removed);
    }

    [Fact]
    public async Task A_container_makes_the_namespace_and_keeps_it()
    {
        IActorRef ns = Namespace();
        await Do(ns, new ContainerRoots.Set(Ns, new ContainerRoot("c", "", "", Labels.None), By));
        Assert.True((await Do(ns, State())).Exists);
        Assert.Equal(
            "namespace \"default\" must be empty, but it still has containers: failed precondition",
            await Refusal(ns, new NamespaceCommands.Delete(Ns, By)));
        await Do(ns, new ContainerRoots.Remove(Ns, "c", By));
        await Do(ns, new NamespaceCommands.Delete(Ns, By));
        Assert.False((await Do(ns, State())).Exists);
    }

    [Fact]
    public async Task What_a_container_refers_to_is_kept_until_it_is_gone()
    {
        IActorRef ns = Namespace();
        var blob = Blob(7);
        await Do(ns, blob);
        var labels = Labels.From([KeyValuePair.Create("containerd.io/gc.ref.content", blob.Digest.ToString())]);
        await Do(ns, new ContainerRoots.Set(Ns, new ContainerRoot("c", "", "", labels), By));
        Assert.Empty((await Do(ns, Collect)).Removed);
        var node = new GarbageNode(GarbageKind.Content, blob.Digest.ToString());
        Assert.Equal(
            [new GarbageNode(GarbageKind.Container, "c"), node],
            Assert.Single(await Do(ns, new NamespaceQueries.Explain(Ns, node.Id, []))).Kept.Select(step => step.Node));
        await Do(ns, new ContainerRoots.Remove(Ns, "c", By));
        Assert.Equal([node], (await Do(ns, new NamespaceQueries.Preview(Ns, []))).Removed.Select(thing => thing.Node));
        Assert.Equal([node], (await Do(ns, Collect)).Removed.Select(thing => thing.Node));
    }

    [Fact]
    public async Task What_a_sandbox_refers_to_is_kept_and_the_sandbox_is_no_container()
    {
        IActorRef ns = Namespace();
        var blob = Blob(7);
        await Do(ns, blob);
        var labels = Labels.From([KeyValuePair.Create("containerd.io/gc.ref.content", blob.Digest.ToString())]);
        await Do(ns, new ContainerRoots.Set(Ns, ContainerRoot.OfSandbox("pod", labels), By));
        Assert.Empty((await Do(ns, Collect)).Removed);
        Assert.Equal(
            "namespace \"default\" must be empty, but it still has blobs: failed precondition", await Refusal(ns, new NamespaceCommands.Delete(Ns, By)));
        await Do(ns, new ContainerRoots.Remove(Ns, ContainerRoot.IdOfSandbox("pod"), By));
        Assert.Single((await Do(ns, Collect)).Removed);
    }

    [Fact]
    public void Requests_for_containers_go_to_them()
    {
        IActorRef ns = Namespace(Containers());
        var get = new ContainerQueries.Get(Ns, "c", By);
        ns.Tell(get, TestActor);
        Assert.Equal(get, ExpectMsg<ContainerQueries.Get>());
    }

    [Fact]
    public async Task What_nobody_takes_is_refused() => Assert.Equal(
        "Get: nobody in namespace \"default\" takes it: not implemented",
        await Refusal(Namespace(), new ContainerQueries.Get(Ns, "c", By)));

    [Fact]
    public async Task Changes_are_told_but_those_of_garbage_collection_are_not()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(NamespaceChanged));
        IActorRef ns = Namespace();
        await Do(ns, Image("a"));
        Assert.False(ExpectMsg<NamespaceChanged>().IsDeletion);
        await Do(ns, new Core.Images.ImageCommands.Delete(Ns, "a", null, By));
        Assert.True(ExpectMsg<NamespaceChanged>().IsDeletion);
        await Do(ns, Blob(7));
        ExpectMsg<NamespaceChanged>();
        Assert.Single((await Do(ns, Collect)).Removed);
        await Do(ns, Image("last"));
        Assert.False(ExpectMsg<NamespaceChanged>().IsDeletion);
    }

    private static NamespaceChild Containers() =>
        new("containers", Props.Create(() => new EchoActor()), static message => message is IForContainer, HoldsRoots: true);

    private sealed class EchoActor : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(message);
    }
}
