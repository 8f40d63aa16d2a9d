// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Runs;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Runs;

public sealed class RunsSpecs : RunsFixture
{
    private static readonly RunWish Removed = Wish with { Removes = true };
    private static readonly string[] Making = ["keep", "prepare", "create", "create task", "start"];

    [Fact]
    public async Task A_run_makes_and_starts_a_container_tells_its_end_and_leaves_it()
    {
        TestProbe asker = Ask(Runs(), Wish);
        RunProgress.Started started = await asker.ExpectMsgAsync<RunProgress.Started>(Patience);
        Assert.Equal(7u, started.Pid);
        Assert.Equal(["image", "snapshot", "container", "task create", "task start"], started.Stages.Select(stage => stage.Name));
        Exit(3);
        RunProgress.Exited exited = await asker.ExpectMsgAsync<RunProgress.Exited>(Patience);
        Assert.Equal((3u, "process"), (exited.Exit.Status, Assert.Single(exited.Stages).Name));
        await asker.ExpectMsgAsync<Done<Nothing>>(Patience);
        Assert.Equal(Making, Deeds.Except(["let go"]));
        Assert.Equal(ChainId.Of([Digest.Of("layer"u8)]).ToString(), Asked<SnapshotterCommands.Prepare>().Single().Parent);
        Assert.Equal("overlay", Asked<TaskCommands.Create>().Single().Rootfs.Single().Type);
        Assert.Equal("image", Asked<ContainerCommands.Create>().Single().Container.Labels["from"]);
    }

    [Fact]
    public async Task The_snapshot_is_kept_from_before_it_is_there_until_its_container_keeps_it()
    {
        await Ask(Runs(), Wish).ExpectMsgAsync<RunProgress.Started>(Patience);
        await AskedAsync<ContainerRoots.Remove>();
        ContainerRoots.Set kept = Asked<ContainerRoots.Set>().Single();
        Assert.Equal(("overlayfs", "c", false), (kept.Root.Snapshotter, kept.Root.SnapshotKey, kept.Root.IsContainer));
        Assert.Equal(kept.Root.ContainerId, Asked<ContainerRoots.Remove>().Single().ContainerId);
        Assert.Equal(["keep", "prepare"], Deeds.Take(2));
        Assert.True(Deeds.ToList().IndexOf("let go") > Deeds.ToList().IndexOf("create"));
    }

    [Theory]
    [InlineData("prepare", "")]
    [InlineData("find user", "remove")]
    [InlineData("create", "remove")]
    [InlineData("create task", "delete, remove")]
    [InlineData("resize", "kill, delete task, delete, remove")]
    [InlineData("start", "kill, delete task, delete, remove")]
    public async Task What_a_run_made_before_a_step_was_refused_is_taken_back(string step, string undone)
    {
        Refusals[step] = Error.Invalid(step);
        RunWish wish = Wish with { TerminalSize = (80, 25), Spec = new RuntimeSpecOptions { User = "web" } };
        TestProbe asker = Ask(Runs(), wish);
        Assert.Equal($"{step}: invalid argument", await RefusalAsync(asker));
        Assert.Equal(undone, string.Join(", ", Deeds.SkipWhile(deed => deed != step).Skip(1).Except(["let go"])));
        Assert.Empty(Records);
        Assert.Empty(Tasks);
    }

    [Fact]
    public async Task A_record_of_which_nobody_knows_whether_it_was_made_is_taken_back_if_it_is_the_one_that_was_asked_for()
    {
        Refusals["create"] = Error.Unavailable("journal");
        Records["c"] = new ContainerRecord("c") { Snapshotter = "overlayfs", SnapshotKey = "c", Spec = new AnyValue("another", default) };
        Assert.Equal("journal: unavailable", await RefusalAsync(Ask(Runs(), Wish)));
        Assert.Single(Records);
        Assert.DoesNotContain("delete", Deeds);
    }

    [Fact]
    public async Task An_image_that_is_not_there_is_refused_by_its_name_and_nothing_is_made()
    {
        Assert.Equal("image \"nothing\": not found", await RefusalAsync(Ask(Runs(), Wish with { Image = "nothing" })));
        Assert.Empty(Deeds.Except(["let go"]));
    }

    [Fact]
    public async Task A_user_with_a_name_is_looked_up_in_the_snapshot()
    {
        await Ask(Runs(), Wish with { Spec = new RuntimeSpecOptions { User = "web" } }).ExpectMsgAsync<RunProgress.Started>(Patience);
        MountCommands.FindUser find = Asked<MountCommands.FindUser>().Single();
        Assert.Equal(("web", "overlay"), (find.User, find.Mounts.Single().Type));
        Assert.Contains("\"uid\":33,\"gid\":44", System.Text.Encoding.UTF8.GetString(Asked<ContainerCommands.Create>().Single().Container.Spec!.Value.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("prepare", "remove")]
    [InlineData("create", "delete, remove")]
    [InlineData("create task", "kill, delete task, delete, remove")]
    public async Task An_asker_that_is_gone_before_the_start_has_given_up_and_nothing_is_left(string step, string undone)
    {
        TaskCompletionSource gate = Hold(step);
        TestProbe asker = Ask(Runs(), Wish);
        await AwaitConditionAsync(() => Task.FromResult(Deeds.Contains(step)), Patience, TimeSpan.FromMilliseconds(5));
        await GoneAsync(asker);
        gate.SetResult();
        await AwaitConditionAsync(() => Task.FromResult(Deeds.Contains("remove")), Patience, TimeSpan.FromMilliseconds(5));
        Assert.Equal(undone, string.Join(", ", Deeds.SkipWhile(deed => deed != step).Skip(1).Except(["let go"])));
    }

    [Fact]
    public async Task What_is_to_be_removed_is_removed_before_the_asker_hears_the_end()
    {
        TestProbe asker = Ask(Runs(), Removed);
        await asker.ExpectMsgAsync<RunProgress.Started>(Patience);
        Exit(0);
        await asker.ExpectMsgAsync<RunProgress.Exited>(Patience);
        Assert.Equal("removal", Assert.Single((await asker.ExpectMsgAsync<RunProgress.Removed>(Patience)).Stages).Name);
        await asker.ExpectMsgAsync<Done<Nothing>>(Patience);
        Assert.Equal(["delete", "delete task", "remove"], Deeds.Except(["let go"]).Skip(Making.Length).Order());
        Assert.Equal("delete task", Deeds.Except(["let go"]).Skip(Making.Length).First());
        Assert.Empty(Records);
    }

    [Fact]
    public async Task What_is_to_be_removed_is_removed_also_when_its_asker_is_gone()
    {
        TestProbe asker = Ask(Runs(), Removed);
        await asker.ExpectMsgAsync<RunProgress.Started>(Patience);
        await GoneAsync(asker);
        Assert.Empty(Deeds.Except([.. Making, "let go"]));
        Exit(0);
        await AwaitConditionAsync(() => Task.FromResult(Records.IsEmpty && Deeds.Contains("remove")), Patience, TimeSpan.FromMilliseconds(5));
        Assert.Empty(Tasks);
    }

    [Fact]
    public async Task A_removal_that_is_refused_is_told_and_tried_again_until_it_is_done()
    {
        Refusals["delete task"] = Error.Unavailable("shim");
        TestProbe asker = Ask(Runs(), Removed);
        await asker.ExpectMsgAsync<RunProgress.Started>(Patience);
        Exit(0);
        await asker.ExpectMsgAsync<RunProgress.Exited>(Patience);
        Assert.Equal("container \"c\" is not removed yet: shim: unavailable", await RefusalAsync(asker));
        Refusals.Clear();
        Scheduler.Advance(Settings.RetryInterval);
        await AwaitConditionAsync(() => Task.FromResult(Records.IsEmpty && Deeds.Contains("remove")), Patience, TimeSpan.FromMilliseconds(5));
    }

    [Fact]
    public async Task Another_container_that_has_the_id_meanwhile_is_not_removed()
    {
        TestProbe asker = Ask(Runs(), Removed);
        await asker.ExpectMsgAsync<RunProgress.Started>(Patience);
        Records["c"] = Records["c"] with { CreatedAt = DateTimeOffset.UnixEpoch.AddDays(1) };
        Exit(0);
        await asker.ExpectMsgAsync<RunProgress.Exited>(Patience);
        await asker.ExpectMsgAsync<RunProgress.Removed>(Patience);
        Assert.Single(Records);
        Assert.Empty(Deeds.Except([.. Making, "let go"]));
    }

    [Fact]
    public async Task What_an_earlier_daemon_was_to_remove_stays_for_whoever_asks_for_its_exit_and_goes_then()
    {
        Records["c"] = Left("c");
        Records["other"] = new ContainerRecord("other");
        Tasks["c"] = ProcessStatus.Stopped;
        Exit(0);
        await FoundAsync(Runs());
        Scheduler.Advance(Settings.Linger - TimeSpan.FromTicks(1));
        Assert.Empty(Deeds);
        Scheduler.Advance(TimeSpan.FromTicks(1));
        await AwaitConditionAsync(() => Task.FromResult(!Records.ContainsKey("c") && Deeds.Contains("remove")), Patience, TimeSpan.FromMilliseconds(5));
        Assert.Equal(["other"], Records.Keys);
        Assert.Equal((PrincipalKind.Policy, "run --rm"), (Asked<TaskCommands.Delete>().Single().By.Principal.Kind, Asked<TaskCommands.Delete>().Single().By.Principal.Name));
    }

    [Theory]
    [InlineData(ProcessStatus.Created, "kill, delete task")]
    [InlineData(null, "")]
    public async Task What_an_earlier_daemon_never_started_is_removed(ProcessStatus? task, string first)
    {
        Records["c"] = Left("c");
        if (task is { } status)
        {
            Tasks["c"] = status;
        }

        await FoundAsync(Runs());
        Scheduler.Advance(Settings.Linger);
        await AwaitConditionAsync(() => Task.FromResult(Records.IsEmpty && Deeds.Contains("remove")), Patience, TimeSpan.FromMilliseconds(5));
        Assert.Equal(first, string.Join(", ", Deeds.Except(["delete", "remove"])));
    }

    [Fact]
    public async Task An_id_has_one_run_at_a_time_and_is_free_when_its_end_is_told()
    {
        IActorRef runs = Runs();
        TestProbe asker = Ask(runs, Removed);
        await asker.ExpectMsgAsync<RunProgress.Started>(Patience);
        Assert.Equal("container \"c\": already exists", await RefusalAsync(Ask(runs, Wish)));
        Exit(0);
        await asker.FishForMessageAsync(message => message is Done<Nothing>, Patience);
        await Ask(runs, Wish).ExpectMsgAsync<RunProgress.Started>(Patience);
    }

    [Fact]
    public async Task More_runs_than_the_bound_are_refused_by_its_key()
    {
        IActorRef runs = Runs();
        await Ask(runs, Wish).ExpectMsgAsync<RunProgress.Started>(Patience);
        await Ask(runs, Wish with { Id = "d" }).ExpectMsgAsync<RunProgress.Started>(Patience);
        Assert.Equal(
            "namespace \"default\": 2 runs are under way (containerd.runs.children-max): resource exhausted",
            await RefusalAsync(Ask(runs, Wish with { Id = "e" })));
    }

    [Fact]
    public async Task A_name_that_no_container_can_have_is_refused() =>
        Assert.Contains("invalid argument", await RefusalAsync(Ask(Runs(), Wish with { Id = "../c" })), StringComparison.Ordinal);

    private static ContainerRecord Left(string id) =>
        new(id) { Snapshotter = "overlayfs", SnapshotKey = id, Labels = Labels.None.Add(RunLabels.AutoRemove, "true") };

    // Gone also for the run, which says so.
    private async Task GoneAsync(TestProbe asker)
    {
        TestProbe log = CreateTestProbe();
        Sys.EventStream.Subscribe(log.Ref, typeof(Info));
        Sys.Stop(asker);
        await log.FishForMessageAsync<Info>(told => $"{told.Message}".EndsWith("whoever asked for it is gone", StringComparison.Ordinal), Patience);
    }

    // An actor that answers has done what it does at its start: its timer runs.
    private async Task FoundAsync(IActorRef runs)
    {
        TestProbe probe = CreateTestProbe();
        await AwaitConditionAsync(
            async () =>
            {
                Sys.ActorSelection(runs.Path / "c").Tell(new Identify(1), probe);
                return (await probe.ExpectMsgAsync<ActorIdentity>(Patience)).Subject is not null;
            },
            Patience,
            TimeSpan.FromMilliseconds(5));
    }
}
