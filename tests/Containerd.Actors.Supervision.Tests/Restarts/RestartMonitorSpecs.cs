// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Restarts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Restarts;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Tests.Restarts;

/// <summary>The monitor on a tree that is one actor with answers written down beforehand.</summary>
public sealed class RestartMonitorSpecs : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly ConcurrentQueue<object> _asked = new();
    private ImmutableArray<ProcessRecord> _tasks = [];
    private ContainerRecord _container = new("c")
    {
        Snapshotter = "overlayfs",
        SnapshotKey = "c",
        Spec = new AnyValue("spec", "{\"process\":{\"terminal\":false},\"linux\":{\"mountLabel\":\"l\"}}"u8.ToArray()),
        Labels = Labels.From([KeyValuePair.Create(RestartLabels.Status, "running"), KeyValuePair.Create(RestartLabels.Policy, "on-failure:3")]),
    };

    public RestartMonitorSpecs()
        : base("akka.loglevel = OFF")
    {
    }

    [Fact]
    public async Task A_task_that_failed_is_counted_forgotten_made_and_started_on_behalf_of_its_policy()
    {
        _container = _container with { Labels = _container.Labels.Add(RestartLabels.LogUri, "file:///log") };
        _tasks = [Stopped(1)];
        await Start();
        Assert.Equal(["Update", "Delete", "GetMounts", "Create", "Start"], Deeds.Select(deed => deed.GetType().Name).Take(5));
        ContainerCommands.Update update = Deeds.OfType<ContainerCommands.Update>().First();
        Assert.Equal("labels.containerd.io/restart.count", Assert.Single(update.Mask));
        Assert.Equal("1", update.Container.Labels[RestartLabels.Count]);
        TaskCommands.Create create = Deeds.OfType<TaskCommands.Create>().First();
        Assert.Equal(new ProcessStdio("", "file:///log", "file:///log", false), create.Stdio);
        Assert.Equal("rw,context=\"l\"", string.Join(',', Assert.Single(create.Rootfs).Options));
        Assert.Equal((PrincipalKind.Policy, "restart on-failure:3"), (create.By.Principal.Kind, create.By.Principal.Name));
    }

    [Fact]
    public async Task Without_a_log_a_restarted_task_writes_nowhere_and_has_no_terminal()
    {
        _container = _container with { Spec = new AnyValue("spec", "{\"process\":{\"terminal\":true}}"u8.ToArray()) };
        _tasks = [Stopped(1)];
        await Start();
        Assert.Equal(new ProcessStdio("", "", "", false), Deeds.OfType<TaskCommands.Create>().First().Stdio);
    }

    [Fact]
    public async Task A_task_that_is_to_be_stopped_is_killed_waited_for_and_forgotten()
    {
        _container = _container with { Labels = Labels.From([KeyValuePair.Create(RestartLabels.Status, "stopped")]) };
        _tasks = [Stopped(0) with { Status = ProcessStatus.Running, Exit = null }];
        await Start();
        Assert.Equal(["Delete", "Kill", "Wait"], Deeds.Take(3).Select(deed => deed.GetType().Name).Order());
        Assert.Equal("restart stopped", Deeds.OfType<TaskCommands.Kill>().First().By.Principal.Name);
        Assert.Equal((9u, true), (Deeds.OfType<TaskCommands.Kill>().First().Signal, Deeds.OfType<TaskCommands.Kill>().First().All));
    }

    [Fact]
    public async Task What_runs_or_has_no_label_is_left_alone()
    {
        _tasks = [Stopped(0) with { Status = ProcessStatus.Running, Exit = null }];
        IActorRef monitor = Monitor();
        await AwaitConditionAsync(
            () => Task.FromResult(_asked.Count(asked => asked is NamespaceQueries.List) > 3), Patience, TimeSpan.FromMilliseconds(10));
        await monitor.GracefulStop(Patience);
        Assert.Empty(Deeds);
    }

    [Fact]
    public async Task A_restart_that_fails_is_tried_again_at_the_next_look()
    {
        _tasks = [Stopped(1)];
        Refusal = message => message is TaskCommands.Create ? Error.Unknown("no runtime") : null;
        IActorRef monitor = Monitor();
        await AwaitConditionAsync(
            () => Task.FromResult(_asked.Count(asked => asked is TaskCommands.Create) > 1), Patience, TimeSpan.FromMilliseconds(10));
        await monitor.GracefulStop(Patience);
        Assert.DoesNotContain(_asked, asked => asked is TaskCommands.Start);
    }

    private Func<object, Error?> Refusal { get; set; } = _ => null;

    private IEnumerable<object> Deeds => _asked.Where(asked =>
        asked is TaskCommands.Create or TaskCommands.Start or TaskCommands.Kill or TaskCommands.Delete or TaskQueries.Wait
            or ContainerCommands.Update or SnapshotterCommands.GetMounts);

    private async Task Start()
    {
        string last = _container.Labels[RestartLabels.Status] == "stopped" ? nameof(TaskCommands.Delete) : nameof(TaskCommands.Start);
        IActorRef monitor = Monitor();
        await AwaitConditionAsync(
            () => Task.FromResult(Deeds.Any(deed => deed.GetType().Name == last)), Patience, TimeSpan.FromMilliseconds(10));
        await monitor.GracefulStop(Patience);
    }

    private IActorRef Monitor()
    {
        IActorRef tree = Sys.ActorOf(Props.Create(() => new Tree(this)));
        return Sys.ActorOf(RestartMonitor.Props(tree, new RestartSettings { Interval = TimeSpan.FromMilliseconds(10) }));
    }

    private static ProcessRecord Stopped(uint status) =>
        new("c", "", 7, ProcessStatus.Stopped, new ProcessStdio("", "", "", false), new ProcessExit(7, status, DateTimeOffset.UnixEpoch));

    private object Answer(object message) => Refusal(message) is { } error ? ((IRequest)message).Refusal(error) : message switch
    {
        NamespaceQueries.List => Reply.Done<ImmutableArray<NamespaceState>>([new NamespaceState("default") { Exists = true }]),
        ContainerQueries.List => Reply.Done<ImmutableArray<ContainerRecord>>([_container, new ContainerRecord("unlabelled")]),
        TaskQueries.List => Reply.Done(_tasks),
        ContainerCommands.Update update => Reply.Done(update.Container),
        TaskQueries.Wait or TaskCommands.Delete => Reply.Done(new ProcessExit(7, 137, DateTimeOffset.UnixEpoch)),
        SnapshotterCommands.GetMounts => Reply.Done<ImmutableArray<Mount>>([new Mount("overlay", "overlay", "", ["rw"])]),
        TaskCommands.Create or TaskCommands.Start => Reply.Done(7u),
        _ => Reply.Done(),
    };

    private sealed class Tree(RestartMonitorSpecs specs) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            specs._asked.Enqueue(message);
            Sender.Tell(specs.Answer(message));
        }
    }
}
