// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Supervision.Namespaces;

namespace Containerd.Actors.Supervision.Tests.Namespaces;

public sealed class NamespacesSupervisorSpecs : NamespacesFixture
{
    private static readonly NamespaceQueries.List List = new();

    [Fact]
    public async Task Namespaces_that_live_are_recovered_and_listed_by_name()
    {
        IActorRef first = Start();
        await Do(first, Image("i", "b"));
        await Do(first, Image("i", "a"));
        await first.GracefulStop(TimeSpan.FromSeconds(5));
        IActorRef again = Start("namespace/a", "namespace/b");
        Assert.Equal(["a", "b"], (await Do(again, List)).Select(state => state.Name));
        Assert.Equal(["i"], (await Do(again, State("a"))).Images.Keys);
    }

    [Fact]
    public async Task Asking_does_not_make_a_namespace()
    {
        IActorRef namespaces = Start();
        Assert.False((await Do(namespaces, State("none"))).Exists);
        Assert.Empty(await Do(namespaces, List));
        await Assert.ThrowsAsync<ActorNotFoundException>(
            () => Sys.ActorSelection(namespaces.Path / "none").ResolveOne(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task What_is_no_name_is_refused() => Assert.Equal(
        "identifier \"a/b\" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument",
        await Refusal(Start(), Image("i", "a/b")));

    [Fact]
    public async Task Too_many_namespaces_are_refused_with_the_key()
    {
        IActorRef namespaces = Sys.ActorOf(NamespacesSupervisor.Props(
            _ => [], NamespaceOf, Settings with { ChildrenMax = 1 }, TimeProvider.System));
        await Do(namespaces, Image("i", "a"));
        Assert.Equal(
            "namespace \"b\": 1 exist (containerd.namespaces.children-max): resource exhausted",
            await Refusal(namespaces, Image("i", "b")));
    }

    [Fact]
    public async Task A_namespace_that_stopped_comes_back_and_others_never_went()
    {
        IActorRef namespaces = Start();
        await Do(namespaces, Image("kept", "a"));
        await Do(namespaces, Image("kept", "b"));
        await Refusal(namespaces, Image(FailingJournal.Name, "a"));
        await Do(namespaces, Image("another", "b"));
        await AwaitAssertAsync(
            async () => Assert.Equal(["kept"], (await Do(namespaces, State("a"))).Images.Keys), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task While_a_namespace_is_away_its_requests_are_refused_and_lists_too()
    {
        IActorRef namespaces = Sys.ActorOf(NamespacesSupervisor.Props(
            _ => [], NamespaceOf, Settings with { BackoffMin = TimeSpan.FromHours(1), BackoffMax = TimeSpan.FromHours(1) }, TimeProvider.System));
        await Do(namespaces, Image("kept", "a"));
        await Refusal(namespaces, Image(FailingJournal.Name, "a"));
        const string Away = "namespace \"a\" stopped and is started again soon: unavailable";
        await AwaitAssertAsync(async () => Assert.Equal(Away, await Refusal(namespaces, Image("i", "a"))), TimeSpan.FromSeconds(20));
        Assert.Equal(Away, await Refusal(namespaces, List));
        Assert.Equal(ErrorKind.Unavailable, Assert.IsType<Refused<NamespaceState>>(await Ask(namespaces, State("a"))).Error.Kind);
    }

    private IActorRef Start(params string[] live) =>
        Sys.ActorOf(NamespacesSupervisor.Props(_ => live, NamespaceOf, Settings, TimeProvider.System));

    private static Props NamespaceOf(string name) => NamespaceActor.Props(name, Settings, [], TimeProvider.System);
}
