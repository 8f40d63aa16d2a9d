// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Snapshots;
using Containerd.Actors.Supervision.Tests.Namespaces;

namespace Containerd.Actors.Supervision.Tests.Snapshots;

public sealed class ProxySnapshotterActorSpecs : NamespacesFixture
{
    private readonly FakePlugin _plugin = new();

    [Fact]
    public async Task What_is_prepared_is_committed_and_measured_once()
    {
        (IActorRef snapshotter, IActorRef ns) = Tree();
        await Do(snapshotter, Prepare("k"));
        Assert.Matches("^default/[0-9]+/k$", Assert.Single(_plugin.Held.Keys));
        await Do(snapshotter, new SnapshotterCommands.Commit(Ns, "far", "n", "k", Labels.None, "", By));
        Assert.Matches("^default/[0-9]+/n$", Assert.Single(_plugin.Held.Keys));
        _plugin.Held.Clear();
        Assert.Equal(new SnapshotUsage(10, 2), await Do(snapshotter, new SnapshotterCommands.GetUsage(Ns, "far", "n")));
        Assert.Equal(SnapshotKind.Committed, Assert.Single((await Do(ns, State())).Snapshots.Values).Kind);
    }

    [Fact]
    public async Task What_the_records_refuse_never_reaches_the_plugin()
    {
        (IActorRef snapshotter, _) = Tree();
        Assert.Equal("parent snapshot p does not exist: not found", await Refusal(snapshotter, Prepare("k") with { Parent = "p" }));
        Assert.Equal("lease does not exist: not found", await Refusal(snapshotter, Prepare("k") with { By = By with { Lease = "none" } }));
        Assert.Empty(_plugin.Held);
    }

    [Fact]
    public async Task A_commit_whose_record_was_lost_in_a_crash_is_done_when_asked_for_again()
    {
        (IActorRef snapshotter, IActorRef ns) = Tree();
        await Do(snapshotter, Prepare("k"));
        string key = Assert.Single(_plugin.Held.Keys);
        await _plugin.CommitAsync(Ns, $"{key[..^1]}n", key, "", Labels.None, CancellationToken.None);
        await Do(snapshotter, new SnapshotterCommands.Commit(Ns, "far", "n", "k", Labels.None, "", By));
        Assert.Equal($"{key[..^1]}n", Assert.Single((await Do(ns, State())).Snapshots.Values).BackendKey);
    }

    [Fact]
    public async Task A_plugin_without_the_capability_is_not_asked_to_rebase()
    {
        (IActorRef snapshotter, _) = Tree();
        await Do(snapshotter, Prepare("b"));
        await Do(snapshotter, new SnapshotterCommands.Commit(Ns, "far", "below", "b", Labels.None, "", By));
        await Do(snapshotter, Prepare("k"));
        Assert.Equal(
            "snapshotter far cannot give snapshot \"k\" a parent when it is committed: not implemented",
            await Refusal(snapshotter, new SnapshotterCommands.Commit(Ns, "far", "n", "k", Labels.None, "below", By)));
    }

    [Fact]
    public async Task Requests_beyond_the_bound_are_refused_by_the_name_of_its_key()
    {
        var gate = new TaskCompletionSource();
        _plugin.Gate = gate.Task;
        (IActorRef snapshotter, _) = Tree(operationsMax: 1);
        Task<Reply<ImmutableArray<Mount>>> first = Ask(snapshotter, Prepare("k"));
        Assert.Equal(
            "snapshotter far: 1 requests are with its plugin (containerd.proxy-plugins.far.operations-max): resource exhausted",
            await Refusal(snapshotter, Prepare("other")));
        gate.SetResult();
        Assert.IsType<Done<ImmutableArray<Mount>>>(await first);
        await Do(snapshotter, Prepare("other"));
    }

    [Fact]
    public async Task A_sweep_takes_what_no_namespace_knows_but_nothing_younger_than_its_mark()
    {
        (IActorRef snapshotter, _) = Tree();
        await Do(snapshotter, Prepare("kept"));
        string kept = Assert.Single(_plugin.Held.Keys);
        _plugin.Has("default/1/old", "");
        _plugin.Has($"default/{long.MaxValue}/young", "");
        _plugin.Has("own", "");
        snapshotter.Tell(new SnapshotterActor.Generation(1));
        Reply<Swept> dry = await snapshotter.Ask<Reply<Swept>>(new SnapshotterActor.Sweep([], 1, IsDry: true), TimeSpan.FromSeconds(20));
        Assert.Equal((3, 4), (dry.Value.Count, _plugin.Held.Count));
        Reply<Swept> swept = await snapshotter.Ask<Reply<Swept>>(new SnapshotterActor.Sweep([], 1, IsDry: false), TimeSpan.FromSeconds(20));
        Assert.Equal(2, swept.Value.Count);
        Assert.Equal([kept, $"default/{long.MaxValue}/young"], _plugin.Held.Keys.OrderByDescending(key => key == kept));
        Reply<Swept> late = await snapshotter.Ask<Reply<Swept>>(new SnapshotterActor.Sweep([], 7, IsDry: false), TimeSpan.FromSeconds(20));
        Assert.Equal(0, late.Value.Count);
    }

    [Fact]
    public async Task A_sweep_leaves_what_the_plugin_has_committed_and_the_namespace_not_yet()
    {
        (IActorRef snapshotter, _) = Tree();
        await Do(snapshotter, Prepare("k"));
        string key = Assert.Single(_plugin.Held.Keys);
        await _plugin.CommitAsync(Ns, $"{key[..^1]}n", key, "", Labels.None, CancellationToken.None);
        snapshotter.Tell(new SnapshotterActor.Generation(1));
        Reply<Swept> swept = await snapshotter.Ask<Reply<Swept>>(new SnapshotterActor.Sweep([], 1, IsDry: false), TimeSpan.FromSeconds(20));
        Assert.Equal(0, swept.Value.Count);
        await Do(snapshotter, new SnapshotterCommands.Commit(Ns, "far", "n", "k", Labels.None, "", By));
    }

    private (IActorRef Snapshotter, IActorRef Namespace) Tree(int operationsMax = 10)
    {
        IActorRef one = Namespace([]);
        IActorRef ns = Sys.ActorOf(Props.Create(() => new OneNamespace(one)));
        IActorRef snapshotter = Sys.ActorOf(ProxySnapshotterActor.Props(
            _plugin, ns, new ProxySettings(operationsMax, TimeSpan.FromSeconds(20)), TimeProvider.System));
        return (snapshotter, ns);
    }

    private static SnapshotterCommands.Prepare Prepare(string key) => new(Ns, "far", SnapshotKind.Active, key, "", Labels.None, By);

    // Stands for the supervisor of namespaces: there is one.
    private sealed class OneNamespace(IActorRef ns) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is NamespaceQueries.List)
            {
                ns.Ask<Reply<NamespaceState>>(State(), TimeSpan.FromSeconds(20))
                    .ContinueWith(state => Reply.Done<ImmutableArray<NamespaceState>>([state.Result.Value]), TaskScheduler.Default)
                    .PipeTo(Sender);
            }
            else
            {
                ns.Forward(message);
            }
        }
    }
}
