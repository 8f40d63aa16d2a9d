// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.TestKit;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

public sealed class PullActorSpecs : PullsFixture
{
    private TreeScript? _script;

    private TreeScript Script => _script ??= new TreeScript { DiffIdOf = DiffIdOf };

    [Fact]
    public async Task Layers_are_unpacked_in_order_and_the_image_comes_last()
    {
        Source.Gate.SetResult();
        PullProgress last = await FinalOf(Start(Pull));
        Assert.Equal((PullStage.Completed, Source.Target.Digest), (last.Stage, last.Target));
        string first = FakeTree.Short(Source.ChainIds[0]);
        string second = FakeTree.Short(Source.ChainIds[1]);
        Assert.Equal(
            ["prepare on nothing", $"commit {first}", $"prepare on {first}", $"commit {second}", "image registry.test/library/image:1"],
            Script.Deeds.Where(deed => deed.Split(' ')[0] is "prepare" or "commit" or "image"));
        Assert.Equal($"lease {last.Operation}", Script.Deeds.First());
        Assert.Equal("release", Script.Deeds.Last());
        Assert.Equal(Source.ChainIds[1], Script.Content[Source.Config.Digest]["containerd.io/gc.ref.snapshot.overlayfs"]);
        Assert.All(Source.Layers, layer => Assert.Equal("library/image", Script.Content[layer.Digest]["containerd.io/distribution.source.registry.test"]));
    }

    [Fact]
    public async Task A_second_request_joins_the_pull_that_is_under_way()
    {
        IActorRef pulls = Supervisor();
        (TestProbe one, TestProbe two) = (Ask(pulls, Pull), Ask(pulls, Pull));
        await UnderWay(one);
        await UnderWay(two);
        Source.Gate.SetResult();
        Assert.Equal(PullStage.Completed, (await FinalOf(one)).Stage);
        Assert.Equal(PullStage.Completed, (await FinalOf(two)).Stage);
        Assert.Equal(1, Source.Resolved);
    }

    [Fact]
    public async Task Each_layer_is_unpacked_once_in_whatever_order_layers_arrive()
    {
        const int rounds = 100;
        for (int i = 0; i < rounds; i++)
        {
            Source = new FakeSource();
            Source.Gate.SetResult();
            _script = new TreeScript { DiffIdOf = DiffIdOf };
            Assert.Equal(PullStage.Completed, (await FinalOf(Start(Pull))).Stage);
            Assert.Equal(2, Script.Deeds.Count(deed => deed == "apply"));
        }
    }

    [Fact]
    public async Task A_layer_that_is_not_what_the_configuration_says_leaves_neither_snapshot_nor_lease()
    {
        Source.Gate.SetResult();
        _script = new TreeScript { DiffIdOf = _ => Digest.Of("something else"u8) };
        PullProgress last = await FinalOf(Start(Pull));
        Assert.Equal(PullStage.Failed, last.Stage);
        Assert.Contains("wrong diff id", last.Error!.Text, StringComparison.Ordinal);
        Assert.Equal("release", Script.Deeds.Last());
        Assert.Contains("remove snapshot", Script.Deeds);
        Assert.DoesNotContain(Script.Deeds, deed => deed.Split(' ')[0] is "commit" or "image");
    }

    [Fact]
    public async Task A_configuration_that_is_not_of_its_digest_is_refused_whether_or_not_it_is_stored_already()
    {
        Source.Gate.SetResult();
        Source.Forge(Source.Config);
        PullProgress last = await FinalOf(Start(Pull));
        Assert.StartsWith("unexpected commit digest ", last.Error!.Text, StringComparison.Ordinal);

        _script = new TreeScript { DiffIdOf = DiffIdOf };
        Script.Content[Source.Config.Digest] = Protocol.Values.Labels.None;
        last = await FinalOf(Start(Pull));
        Assert.StartsWith("unexpected commit digest ", last.Error!.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Script.Deeds, deed => deed.Split(' ')[0] is "apply" or "image");
    }

    [Fact]
    public async Task What_verifiers_refuse_is_not_fetched()
    {
        _script = new TreeScript { DiffIdOf = DiffIdOf, Verdict = Error.Unknown("no") };
        PullProgress last = await FinalOf(Start(Pull));
        Assert.Equal("no", last.Error!.Text);
        Assert.Equal([$"lease {last.Operation}", "release"], Script.Deeds);
    }

    [Fact]
    public async Task A_pull_whose_caller_is_gone_is_given_up_and_leaves_no_upload_locked()
    {
        IActorRef pulls = Supervisor();
        TestProbe caller = Ask(pulls, Pull);
        await UnderWay(caller);
        Sys.Stop(caller);
        await AwaitAssertAsync(() => Assert.Equal("release", Script.Deeds.LastOrDefault()), Patience);
        await AwaitAssertAsync(() => Assert.Empty(Script.Open), Patience);
        Assert.DoesNotContain(Script.Deeds, deed => deed.StartsWith("image", StringComparison.Ordinal));

        Source = new FakeSource();
        Source.Gate.SetResult();
        Assert.Equal(PullStage.Completed, (await FinalOf(Ask(pulls, Pull))).Stage);
    }

    [Fact]
    public async Task A_pull_goes_on_for_those_who_are_left_or_when_somebody_wanted_that()
    {
        IActorRef pulls = Supervisor();
        (TestProbe one, TestProbe two) = (Ask(pulls, Pull), Ask(pulls, Pull));
        await UnderWay(one);
        await UnderWay(two);
        Sys.Stop(one);
        Source.Gate.SetResult();
        Assert.Equal(PullStage.Completed, (await FinalOf(two)).Stage);

        Source = new FakeSource();
        TestProbe three = Ask(pulls, Pull with { GoesOn = true });
        await UnderWay(three);
        Sys.Stop(three);
        Source.Gate.SetResult();
        await AwaitAssertAsync(() => Assert.Equal(2, Script.Deeds.Count(deed => deed.StartsWith("image", StringComparison.Ordinal))), Patience);
    }

    [Fact]
    public async Task Uploads_are_not_under_the_lease_of_the_pull_so_that_they_outlive_it()
    {
        Source.Gate.SetResult();
        PullProgress last = await FinalOf(Start(Pull));
        Assert.All(Script.Asked.OfType<IngestCommands.Open>(), open => Assert.Equal("", open.By.Lease));
        Assert.All(Script.Asked.OfType<IngestCommands.Commit>(), commit => Assert.Equal(last.Operation, commit.By.Lease));
        Assert.Equal(4, Script.Asked.OfType<IngestCommands.Commit>().Count());
    }

    [Fact]
    public async Task The_callers_lease_is_used_and_left_as_it_is()
    {
        Source.Gate.SetResult();
        Assert.Equal(PullStage.Completed, (await FinalOf(Start(Pull with { By = Pull.By with { Lease = "mine" } }))).Stage);
        Assert.Empty(Script.Asked.OfType<LeaseCommands.Create>());
        Assert.Empty(Script.Asked.OfType<LeaseCommands.Delete>());
        Assert.All(Script.Asked.OfType<IngestCommands.Open>(), open => Assert.Equal("mine", open.By.Lease));
        Assert.All(Script.Asked.OfType<IngestCommands.Commit>(), commit => Assert.Equal("mine", commit.By.Lease));
    }

    [Fact]
    public async Task A_pull_that_stops_without_an_end_tells_so_and_its_lease_is_given_back()
    {
        TestProbe caller = Start(Pull);
        PullProgress progress = await UnderWay(caller);
        await AwaitAssertAsync(() => Assert.Contains(Script.Deeds, deed => deed.StartsWith("lease", StringComparison.Ordinal)), Patience);
        Sys.ActorSelection($"/user/*/{progress.Operation}").Tell(Kill.Instance);
        PullProgress last = await FinalOf(caller);
        Assert.Equal(ErrorKind.Internal, last.Error!.Kind);
        await AwaitAssertAsync(() => Assert.Contains(Script.Asked.OfType<LeaseCommands.Delete>(), delete => delete.Id == progress.Operation), Patience);
    }

    [Fact]
    public async Task Pulls_above_the_bound_are_refused_by_its_key()
    {
        IActorRef pulls = Supervisor();
        for (int i = 0; i < Bounds().PullsMax; i++)
        {
            await UnderWay(Ask(pulls, Named($"registry.test/library/image:{i}")));
        }

        TestProbe tooMany = Ask(pulls, Named("registry.test/library/image:x"));
        var refused = await tooMany.ExpectMsgAsync<Refused<Nothing>>(Patience);
        Assert.Equal(
            "registry.test/library/image:x: 2 pulls are under way in namespace \"ns\" (containerd.pulls.pulls-max): resource exhausted", refused.Error.Text);
        await UnderWay(Ask(pulls, Named("registry.test/library/image:1")));
    }

    [Fact]
    public async Task Without_platforms_every_image_of_an_index_is_fetched_and_unpacked_where_asked()
    {
        Source = new FakeSource(hasIndex: true);
        Source.Gate.SetResult();
        PullWish wish = Pull.Wish with { Platforms = PlatformSelection.All, Unpacks = [new PullUnpack(new Platform("linux", "amd64"), "overlayfs")] };
        PullProgress last = await FinalOf(Start(Pull with { Wish = wish }));
        Assert.Equal(PullStage.Completed, last.Stage);
        Assert.True(Script.Content.ContainsKey(Source.OtherLayer!.Digest));
        Assert.Equal(2, Script.Deeds.Count(deed => deed == "apply"));
        Assert.Equal(2, Script.Content[Source.Target.Digest].Count(label => label.Key.StartsWith("containerd.io/gc.ref.content.m.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Metadata_of_other_platforms_is_stored_without_their_layers()
    {
        Source = new FakeSource(hasIndex: true);
        Source.Gate.SetResult();
        Assert.Equal(PullStage.Completed, (await FinalOf(Start(Pull with { Wish = Pull.Wish with { IncludesMetadata = true } }))).Stage);
        Assert.True(Script.Content.ContainsKey(Source.OtherManifest!.Digest));
        Assert.True(Script.Content.ContainsKey(Source.OtherConfig!.Digest));
        Assert.False(Script.Content.ContainsKey(Source.OtherLayer!.Digest));
    }

    [Fact]
    public async Task An_index_without_the_platform_is_refused()
    {
        Source = new FakeSource(hasIndex: true);
        PullWish wish = Pull.Wish with { Platforms = new PlatformSelection([new Platform("linux", "s390x")]) };
        PullProgress last = await FinalOf(Start(Pull with { Wish = wish }));
        Assert.Equal($"registry.test/library/image:1: no match for platform in manifest {Source.Target.Digest}: not found", last.Error!.Text);
    }

    [Fact]
    public async Task All_names_are_made()
    {
        Source.Gate.SetResult();
        PullWish wish = Pull.Wish with { Names = [new PullName("a"), new PullName("b", AddsDigest: true)], Unpacks = [] };
        PullProgress last = await FinalOf(Start(Pull with { Wish = wish }));
        Assert.Equal(["a", $"b@{Source.Target.Digest}"], last.Names.ToArray());
        Assert.Equal(last.Names.ToArray(), Script.Asked.OfType<ImageCommands.Create>().Select(create => create.Name));
        Assert.DoesNotContain("apply", Script.Deeds);
    }

    [Fact]
    public async Task A_blob_that_is_there_is_noted_to_come_from_this_repository_too()
    {
        Source.Gate.SetResult();
        Script.Content[Source.Layers[0].Digest] = Protocol.Values.Labels.None;
        PullProgress last = await FinalOf(Start(Pull));
        Assert.True(last.Layers[0].WasThere);
        Assert.Contains(
            Script.Asked.OfType<ContentCommands.AddSource>(),
            source => source.Digest == Source.Layers[0].Digest && (source.Host, source.Repository) == ("registry.test", "library/image"));
    }

    [Fact]
    public async Task Who_asks_is_asked_from_a_caller_and_from_the_next_when_that_one_goes()
    {
        Source.Gate.SetResult();
        IActorRef pulls = Supervisor();
        PullCommands.Pull asking = Pull with { Source = Pull.Source with { AsksForCredentials = true } };
        TestProbe one = Ask(pulls, asking);
        PullQueries.FindCredentials question = await one.FishForMessageAsync<PullQueries.FindCredentials>(_ => true, Patience);
        Assert.Equal(("docker.io", Pull.Reference), (question.Host, question.Reference));
        TestProbe two = Ask(pulls, asking);
        await UnderWay(two);
        Sys.Stop(one);
        await two.FishForMessageAsync<PullQueries.FindCredentials>(_ => true, Patience);
        two.Reply(Reply.Done(new PullCredentials("me", "secret", "", "")));
        Assert.Equal(PullStage.Completed, (await FinalOf(two)).Stage);
        Assert.Equal(("me", "secret"), (Source.Found[0]!.Username, Source.Found[0]!.Secret));
    }

    [Fact]
    public void Equal_requests_are_one_operation_and_others_are_not()
    {
        string operation = PullsSupervisor.OperationOf(Pull);
        Assert.Equal(operation, PullsSupervisor.OperationOf(Pull with { By = Caller.Kernel, Source = Pull.Source with { Username = "me" } }));
        PullCommands.Pull[] others =
        [
            Named("registry.test/library/image:2"),
            Pull with { By = Pull.By with { Lease = "mine" } },
            Pull with { Wish = Pull.Wish with { Unpacks = [] } },
            Pull with { Wish = Pull.Wish with { Platforms = PlatformSelection.All } },
            Pull with { Wish = Pull.Wish with { IncludesMetadata = true } },
            Pull with { Wish = Pull.Wish with { Names = [new PullName("other")] } },
            Pull with { Source = Pull.Source with { HostsDirectory = "/other" } },
        ];
        Assert.Equal(others.Length + 1, others.Select(PullsSupervisor.OperationOf).Append(operation).Distinct().Count());
    }

    private static PullCommands.Pull Named(string reference) => Pull with { Reference = reference };

    private TestProbe Start(PullCommands.Pull pull) => Ask(Supervisor(), pull);

    private IActorRef Supervisor() => Pulls(Script, Bounds());

    private static async Task<PullProgress> UnderWay(TestProbe watcher) => await watcher.FishForMessageAsync<PullProgress>(progress => !progress.IsFinal, Patience);
}
