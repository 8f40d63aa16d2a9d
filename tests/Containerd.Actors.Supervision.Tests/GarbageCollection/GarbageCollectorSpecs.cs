// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Supervision.GarbageCollection;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Tests.GarbageCollection;

/// <summary>The collector in virtual time; namespaces, content and snapshotters are probes that answer when the test wants.</summary>
public sealed class GarbageCollectorSpecs : TestKit
{
    private static readonly Caller By = new(Principal.User(0, 0, 42, "/usr/bin/ctr"));
    private static readonly Digest Kept = Digest.Of([1]);
    private static readonly GarbageCollectionSettings Settings = GarbageCollectionSettings.From(GarbageCollectionSettings.Default) with
    {
        StartupDelay = TimeSpan.FromSeconds(1),
        RunMin = TimeSpan.FromSeconds(1),
        PauseThreshold = 0.1,
        MutationThreshold = 3,
        // Asks do not live in virtual time: a step may take as long as the test does.
        StepTimeout = TimeSpan.FromHours(1),
    };

    private readonly TestProbe _namespaces;
    private readonly TestProbe _content;
    private readonly TestProbe _snapshots;
    private readonly TestProbe _mounts;
    private readonly SteppedTime _time = new();
    private DateTimeOffset? _spareFrom;

    public GarbageCollectorSpecs()
        : base(ConfigurationFactory.ParseString("""
            akka.loglevel = OFF
            akka.scheduler.implementation = "Akka.TestKit.TestScheduler, Akka.TestKit"
            """))
    {
        _namespaces = CreateTestProbe();
        _content = CreateTestProbe();
        _snapshots = CreateTestProbe();
        _mounts = CreateTestProbe();
    }

    private SweepCommands.SweepMounts? SweptMounts { get; set; }

    private TestScheduler Scheduler => (TestScheduler)Sys.Scheduler;

    [Fact]
    public void The_first_run_comes_after_the_startup_delay()
    {
        Start();
        Scheduler.Advance(TimeSpan.FromMilliseconds(999));
        _content.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        Scheduler.Advance(TimeSpan.FromMilliseconds(1));
        FinishRun();
    }

    [Fact]
    public void A_run_sweeps_what_no_namespace_keeps_under_the_generations_that_began_before_it()
    {
        Start();
        Scheduler.Advance(TimeSpan.FromSeconds(1));
        (SweepCommands.SweepContent content, SweepCommands.SweepSnapshots snapshots) = FinishRun("a", "b");
        Assert.Equal(5, content.Generation);
        Assert.Equal(6, snapshots.Generation);
        Assert.Equal([Kept], content.Keep);
        Assert.Equal([("a", "old"), ("b", "old")], content.Ingests.AsEnumerable());
        Assert.Equal([1L, 2L], snapshots.Keep["overlayfs"].Order());
        Assert.Equal(7, SweptMounts!.Generation);
        Assert.Equal([11L, 12L], SweptMounts.Keep.Order());
    }

    [Fact]
    public void Without_a_change_the_planned_run_does_not_take_place()
    {
        AfterFirstRun();
        Scheduler.Advance(TimeSpan.FromSeconds(9));
        Scheduler.Advance(TimeSpan.FromSeconds(9));
        _content.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public void After_a_deletion_the_planned_run_takes_place()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(Deleted());
        Settle(collector);
        _content.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        Scheduler.Advance(TimeSpan.FromSeconds(9));
        FinishRun();
    }

    [Fact]
    public void A_planned_run_spares_what_was_made_since_the_last_deletion()
    {
        IActorRef collector = AfterFirstRun(Settings with { MutationThreshold = 4 });
        collector.Tell(Deleted());
        _time.Advance(TimeSpan.FromSeconds(2));
        NamespaceChanged last = Deleted();
        collector.Tell(last);
        _time.Advance(TimeSpan.FromSeconds(2));
        collector.Tell(new NamespaceChanged("a", _time.GetUtcNow(), IsDeletion: false));
        Settle(collector);
        Scheduler.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(last.At, SparedFrom());
    }

    [Fact]
    public void A_run_on_request_one_at_start_and_one_after_many_changes_spare_nothing()
    {
        IActorRef collector = Start(Settings with { MutationThreshold = 2 });
        Scheduler.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(SparedFrom());
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        Assert.Null(SparedFrom());
        ExpectMsg<Done<GarbageRun>>();
        collector.Tell(Deleted());
        collector.Tell(Deleted());
        Settle(collector);
        Scheduler.Advance(TimeSpan.FromSeconds(9));
        Assert.Null(SparedFrom());
    }

    [Fact]
    public void Enough_changes_are_worth_a_run_and_fewer_are_not()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new NamespaceChanged("a", _time.GetUtcNow(), IsDeletion: false));
        collector.Tell(new NamespaceChanged("a", _time.GetUtcNow(), IsDeletion: false));
        Settle(collector);
        Scheduler.Advance(TimeSpan.FromSeconds(9));
        _content.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        collector.Tell(new NamespaceChanged("a", _time.GetUtcNow(), IsDeletion: false));
        Settle(collector);
        Scheduler.Advance(TimeSpan.FromSeconds(9));
        FinishRun();
    }

    [Fact]
    public void A_sweep_that_takes_long_does_not_put_off_the_next_run()
    {
        IActorRef collector = Start();
        RunTaking(collector, marking: TimeSpan.FromSeconds(1), sweep: TimeSpan.FromMinutes(10));
        collector.Tell(Deleted());
        Settle(collector);
        Scheduler.Advance(TimeSpan.FromSeconds(9));
        FinishRun();
    }

    [Fact]
    public void The_pause_follows_the_mean_of_all_marks()
    {
        IActorRef collector = Start();
        RunTaking(collector, marking: TimeSpan.FromSeconds(3), sweep: TimeSpan.Zero);
        RunTaking(collector, marking: TimeSpan.FromSeconds(1), sweep: TimeSpan.Zero);
        collector.Tell(Deleted());
        Settle(collector);
        Scheduler.Advance(TimeSpan.FromSeconds(17.9));
        _content.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        Scheduler.Advance(TimeSpan.FromSeconds(0.2));
        FinishRun();
    }

    [Fact]
    public void A_deletion_threshold_does_not_wait_for_the_plan()
    {
        IActorRef collector = AfterFirstRun(Settings with { DeletionThreshold = 2, ScheduleDelay = TimeSpan.FromSeconds(1) });
        collector.Tell(Deleted());
        collector.Tell(Deleted());
        Settle(collector);
        Scheduler.Advance(TimeSpan.FromSeconds(1));
        FinishRun();
    }

    [Fact]
    public void A_request_is_answered_after_a_complete_run()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        Begin();
        ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        Finish();
        Assert.Equal(3, ExpectMsg<Done<GarbageRun>>().Result.Content.Count);
    }

    [Fact]
    public void Requests_during_a_run_share_the_next()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        Begin();
        TestProbe second = CreateTestProbe();
        TestProbe third = CreateTestProbe();
        collector.Tell(new GarbageCommands.Run(By), second);
        collector.Tell(new GarbageCommands.Run(By), third);
        Finish();
        ExpectMsg<Done<GarbageRun>>();
        second.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        FinishRun();
        second.ExpectMsg<Done<GarbageRun>>();
        third.ExpectMsg<Done<GarbageRun>>();
    }

    [Fact]
    public void A_dry_run_goes_the_same_way_and_removes_nothing()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new GarbageCommands.Run(By, IsDry: true), TestActor);
        Begin();
        _namespaces.ExpectMsg<NamespaceQueries.List>();
        _namespaces.Reply(Reply.Done(ImmutableArray.Create(new NamespaceState("a"))));
        Assert.Equal("a", _namespaces.ExpectMsg<NamespaceQueries.Preview>().Namespace);
        _namespaces.Reply(Reply.Done(Answer("a", 1)));
        Assert.True(_content.ExpectMsg<SweepCommands.SweepContent>().IsDry);
        _content.Reply(Reply.Done(new Swept(3, 30)));
        Assert.True(_mounts.ExpectMsg<SweepCommands.SweepMounts>().IsDry);
        _mounts.Reply(Reply.Done(new Swept(2, 0)));
        Assert.True(_snapshots.ExpectMsg<SweepCommands.SweepSnapshots>().IsDry);
        _snapshots.Reply(Reply.Done(new Swept(1, 0)));
        Assert.Equal("a", Assert.Single(ExpectMsg<Done<GarbageRun>>().Result.Things).Namespace);
    }

    [Fact]
    public void A_dry_run_comes_after_those_that_remove_and_does_not_answer_for_them()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new GarbageCommands.Run(By, IsDry: true), CreateTestProbe());
        Begin();
        TestProbe dry = CreateTestProbe();
        collector.Tell(new GarbageCommands.Run(By, IsDry: true), dry);
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        Finish();
        dry.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        Assert.False(FinishRun().Content.IsDry);
        ExpectMsg<Done<GarbageRun>>();
        Assert.True(FinishRun().Content.IsDry);
        dry.ExpectMsg<Done<GarbageRun>>();
    }

    [Fact]
    public void A_question_is_answered_with_the_ingests_that_are_there()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new GarbageCommands.Explain("a", "redis"), TestActor);
        _content.ExpectMsg<SweepCommands.ListIngests>();
        var ingest = new OpenIngest("a", "r", DateTimeOffset.MaxValue, null);
        _content.Reply(Reply.Done(ImmutableArray.Create(ingest)));
        NamespaceQueries.Explain asked = _namespaces.ExpectMsg<NamespaceQueries.Explain>();
        Assert.Equal(("a", "redis", ingest), (asked.Namespace, asked.Name, Assert.Single(asked.Ingests)));
        _namespaces.Reply(Reply.Refused<ImmutableArray<GarbageExplanation>>(Error.NotFound("redis")));
        Assert.Equal("redis: not found", ExpectMsg<Refused<ImmutableArray<GarbageExplanation>>>().Error.Text);
    }

    [Fact]
    public void Old_uploads_of_a_namespace_that_was_never_written_to_are_given_up()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        _content.ExpectMsg<SweepCommands.BeginContent>();
        OpenIngest young = new("never", "young", DateTimeOffset.MaxValue, Kept);
        _content.Reply(Reply.Done(new ContentGeneration(5, [young, young with { Reference = "old", ExpiresAt = DateTimeOffset.MinValue }])));
        _snapshots.ExpectMsg<SweepCommands.BeginSnapshots>();
        _snapshots.Reply(Reply.Done(6L));
        _mounts.ExpectMsg<SweepCommands.BeginMounts>();
        _mounts.Reply(Reply.Done(7L));
        SweepCommands.SweepContent sweep = Finish().Content;
        Assert.Equal(("never", "old"), Assert.Single(sweep.Ingests));
        Assert.Equal(Kept, Assert.Single(sweep.Keep));
    }

    [Fact]
    public void Nothing_is_swept_when_a_namespace_cannot_tell_what_it_keeps_but_others_are_collected()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        Begin();
        _namespaces.ExpectMsg<NamespaceQueries.List>();
        _namespaces.Reply(Reply.Done(ImmutableArray.Create(new NamespaceState("a"), new NamespaceState("b"))));
        Assert.Equal("a", _namespaces.ExpectMsg<NamespaceCommands.Collect>().Namespace);
        _namespaces.Reply(Reply.Refused<Collected>(Error.Unavailable("namespace \"a\" is away")));
        Assert.Equal("b", _namespaces.ExpectMsg<NamespaceCommands.Collect>().Namespace);
        _namespaces.Reply(Reply.Done(Answer("b", 2)));
        Error error = ExpectMsg<Refused<GarbageRun>>().Error;
        Assert.Equal((ErrorKind.Unavailable, true), (error.Kind, error.Text.Contains("namespace \"a\"", StringComparison.Ordinal)));
        _content.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public void A_run_that_failed_is_tried_again_when_the_next_is_planned()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        Begin();
        _namespaces.ExpectMsg<NamespaceQueries.List>();
        _namespaces.Reply(Reply.Refused<ImmutableArray<NamespaceState>>(Error.Unavailable("journal")));
        Assert.Equal("garbage collection: journal: unavailable", ExpectMsg<Refused<GarbageRun>>().Error.Text);
        Settle(collector);
        Scheduler.Advance(TimeSpan.FromSeconds(9));
        FinishRun();
    }

    [Fact]
    public void A_step_without_an_answer_ends_the_run()
    {
        IActorRef collector = AfterFirstRun(Settings with { StepTimeout = TimeSpan.FromMilliseconds(100) });
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        Begin();
        _namespaces.ExpectMsg<NamespaceQueries.List>();
        Error error = ExpectMsg<Refused<GarbageRun>>().Error;
        Assert.Equal(ErrorKind.DeadlineExceeded, error.Kind);
        Assert.Contains("containerd.garbage-collection.step-timeout", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_many_requests_are_refused_with_the_key()
    {
        IActorRef collector = AfterFirstRun(Settings with { WaitingMax = 1 });
        collector.Tell(new GarbageCommands.Run(By), CreateTestProbe());
        Begin();
        collector.Tell(new GarbageCommands.Run(By), CreateTestProbe());
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        Assert.Equal(
            "garbage collection: 1 requests wait (containerd.garbage-collection.waiting-max): resource exhausted",
            ExpectMsg<Refused<GarbageRun>>().Error.Text);
    }

    [Fact]
    public void Who_waits_is_refused_when_the_collector_stops()
    {
        IActorRef collector = AfterFirstRun();
        collector.Tell(new GarbageCommands.Run(By), TestActor);
        Begin();
        Sys.Stop(collector);
        Assert.Equal(ErrorKind.Unavailable, ExpectMsg<Refused<GarbageRun>>().Error.Kind);
    }

    private IActorRef Start(GarbageCollectionSettings? settings = null)
    {
        IActorRef collector = Sys.ActorOf(GarbageCollector.Props(_namespaces, _content, _snapshots, _mounts, settings ?? Settings, _time));
        Settle(collector);
        return collector;
    }

    private IActorRef AfterFirstRun(GarbageCollectionSettings? settings = null)
    {
        // A run on request ends with an answer, behind which the next run is planned; a planned one ends unseen.
        IActorRef collector = Start(settings);
        TestProbe requester = CreateTestProbe();
        collector.Tell(new GarbageCommands.Run(By), requester);
        FinishRun();
        requester.ExpectMsg<Done<GarbageRun>>();
        Settle(collector);
        return collector;
    }

    private void RunTaking(IActorRef collector, TimeSpan marking, TimeSpan sweep)
    {
        TestProbe requester = CreateTestProbe();
        collector.Tell(new GarbageCommands.Run(By), requester);
        Begin();
        _namespaces.ExpectMsg<NamespaceQueries.List>();
        _time.Advance(marking);
        _namespaces.Reply(Reply.Done(ImmutableArray<NamespaceState>.Empty));
        _content.ExpectMsg<SweepCommands.SweepContent>();
        _mounts.ExpectMsg<SweepCommands.SweepMounts>();
        _mounts.Reply(Reply.Done(new Swept(0, 0)));
        _snapshots.ExpectMsg<SweepCommands.SweepSnapshots>();
        _time.Advance(sweep);
        _content.Reply(Reply.Done(new Swept(0, 0)));
        _snapshots.Reply(Reply.Done(new Swept(0, 0)));
        requester.ExpectMsg<Done<GarbageRun>>();
        Settle(collector);
    }

    private NamespaceChanged Deleted() => new("a", _time.GetUtcNow(), IsDeletion: true);

    // Finishes a run over one namespace.
    private DateTimeOffset? SparedFrom()
    {
        FinishRun("a");
        return _spareFrom;
    }

    // Everything told before has been received, and timers that follow from it are set.
    private static void Settle(IActorRef actor) =>
        Assert.Equal(actor, actor.Ask<ActorIdentity>(new Identify(null)).Result.Subject);

    private (SweepCommands.SweepContent Content, SweepCommands.SweepSnapshots Snapshots) FinishRun(params string[] namespaces)
    {
        Begin();
        return Finish(namespaces);
    }

    private void Begin()
    {
        _content.ExpectMsg<SweepCommands.BeginContent>();
        _content.Reply(Reply.Done(new ContentGeneration(5, [])));
        _snapshots.ExpectMsg<SweepCommands.BeginSnapshots>();
        _snapshots.Reply(Reply.Done(6L));
        _mounts.ExpectMsg<SweepCommands.BeginMounts>();
        _mounts.Reply(Reply.Done(7L));
    }

    private (SweepCommands.SweepContent Content, SweepCommands.SweepSnapshots Snapshots) Finish(params string[] namespaces)
    {
        _namespaces.ExpectMsg<NamespaceQueries.List>();
        _namespaces.Reply(Reply.Done(namespaces.Select(name => new NamespaceState(name)).ToImmutableArray()));
        int backend = 0;
        foreach (string name in namespaces)
        {
            NamespaceCommands.Collect collect = _namespaces.ExpectMsg<NamespaceCommands.Collect>();
            Assert.Equal(name, collect.Namespace);
            _spareFrom = collect.SpareFrom;
            _namespaces.Reply(Reply.Done(Answer(name, ++backend)));
        }

        var content = _content.ExpectMsg<SweepCommands.SweepContent>();
        _content.Reply(Reply.Done(new Swept(3, 30)));
        // Mounts go before the directories that may be mounted.
        SweptMounts = _mounts.ExpectMsg<SweepCommands.SweepMounts>();
        _snapshots.ExpectNoMsg(TimeSpan.Zero);
        _mounts.Reply(Reply.Done(new Swept(2, 0)));
        var snapshots = _snapshots.ExpectMsg<SweepCommands.SweepSnapshots>();
        _snapshots.Reply(Reply.Done(new Swept(1, 0)));
        return (content, snapshots);
    }

    private static Collected Answer(string name, long backend) => new(
        [new Condemned(new GarbageNode(GarbageKind.Image, name), 0, "")],
        [Kept],
        ImmutableDictionary<string, ImmutableHashSet<long>>.Empty.Add("overlayfs", [backend]),
        ["old"])
    {
        Activations = [backend + 10],
    };

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan step) => Interlocked.Add(ref _ticks, step.Ticks);

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(GetTimestamp());
    }
}
