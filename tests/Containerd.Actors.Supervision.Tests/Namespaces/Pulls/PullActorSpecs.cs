// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Registry;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

public sealed class PullActorSpecs() : TestKit("akka.persistence.journal.plugin = \"akka.persistence.journal.inmem\"")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly PullSettings Settings = new(
        4, Patience, TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(10), 1 << 20, new RegistrySettings());

    private readonly ConcurrentQueue<string> _deeds = new();
    private readonly FakeSource _source = new();

    private static PullCommands.Pull Pull { get; } = new(
        "ns", "registry.test/library/image:1", "overlayfs", null, new PullSource(false, "", "", ""), Labels.None, Caller.Policy("test"));

    [Fact]
    public async Task Layers_are_unpacked_in_order_and_the_image_comes_last()
    {
        _source.Gate.SetResult();
        PullProgress last = await FinalOf(Start(layer => DiffIdOf(layer)));
        Assert.Equal((PullStage.Completed, _source.Target.Digest), (last.Stage, last.Target));
        await AwaitAssertAsync(() => Assert.Contains("release", _deeds), Patience);

        string first = FakeTree.Short(_source.ChainIds[0]);
        string second = FakeTree.Short(_source.ChainIds[1]);
        string[] order = [.. _deeds.Where(deed => deed.StartsWith("prepare", StringComparison.Ordinal) || deed.StartsWith("commit", StringComparison.Ordinal) || deed.StartsWith("image", StringComparison.Ordinal))];
        Assert.Equal(["prepare on nothing", $"commit {first}", $"prepare on {first}", $"commit {second}", "image registry.test/library/image:1"], order);
        Assert.Equal("lease", _deeds.First());
    }

    [Fact]
    public async Task A_second_request_joins_the_pull_that_is_under_way()
    {
        IActorRef pulls = Supervisor(DiffIdOf);
        TestProbe one = CreateTestProbe();
        TestProbe two = CreateTestProbe();
        pulls.Tell(Pull, one);
        await one.FishForMessageAsync<PullProgress>(progress => progress.Stage == PullStage.Resolving, Patience);
        pulls.Tell(Pull, two);
        await two.FishForMessageAsync<PullProgress>(progress => progress.Stage == PullStage.Resolving, Patience);
        _source.Gate.SetResult();
        Assert.Equal(PullStage.Completed, (await FinalOf(one)).Stage);
        Assert.Equal(PullStage.Completed, (await FinalOf(two)).Stage);
        Assert.Equal(1, _source.Resolved);
    }

    [Fact]
    public async Task Each_layer_is_unpacked_once_in_whatever_order_layers_arrive()
    {
        const int rounds = 100;
        _source.Gate.SetResult();
        for (int i = 0; i < rounds; i++)
        {
            Assert.Equal(PullStage.Completed, (await FinalOf(Start(DiffIdOf))).Stage);
        }

        Assert.Equal(2 * rounds, _deeds.Count(deed => deed == "apply"));
    }

    [Fact]
    public async Task A_layer_that_is_not_what_the_configuration_says_leaves_neither_snapshot_nor_lease()
    {
        _source.Gate.SetResult();
        PullProgress last = await FinalOf(Start(_ => Digest.Of("something else"u8)));
        Assert.Equal(PullStage.Failed, last.Stage);
        Assert.Contains("wrong diff id", last.Error!.Text, StringComparison.Ordinal);
        await AwaitAssertAsync(() => Assert.Contains("release", _deeds), Patience);
        Assert.Contains("remove snapshot", _deeds);
        Assert.DoesNotContain(_deeds, deed => deed.StartsWith("commit", StringComparison.Ordinal) || deed.StartsWith("image", StringComparison.Ordinal));
    }

    private Digest DiffIdOf(Digest layer) => layer == _source.Layers[0].Digest ? _source.DiffIds[0] : _source.DiffIds[1];

    private TestProbe Start(Func<Digest, Digest> diffIdOf)
    {
        TestProbe watcher = CreateTestProbe();
        Supervisor(diffIdOf).Tell(Pull, watcher);
        return watcher;
    }

    private IActorRef Supervisor(Func<Digest, Digest> diffIdOf)
    {
        IActorRef tree = Sys.ActorOf(Props.Create(() => new FakeTree(_deeds, diffIdOf)));
        return Sys.ActorOf(PullsSupervisor.Props("ns", tree, (_, _) => _source, Settings, _ => [], TimeProvider.System));
    }

    private static async Task<PullProgress> FinalOf(TestProbe watcher) =>
        await watcher.FishForMessageAsync<PullProgress>(progress => progress.IsFinal, Patience);
}
