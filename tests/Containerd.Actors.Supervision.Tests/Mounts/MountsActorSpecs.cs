// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Executor;
using Containerd.Actors.Supervision.Mounts;
using Containerd.Actors.Supervision.Namespaces;
using Containerd.Actors.Supervision.Tests.Executor;

namespace Containerd.Actors.Supervision.Tests.Mounts;

/// <summary>Activations on a mount table of the tests and a journal in memory.</summary>
public sealed class MountsActorSpecs : TestKit
{
    private const string Ns = "default";
    private static readonly Caller By = new(Principal.User(0, 0, 42, "/usr/bin/ctr"));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly ImmutableArray<Mount> Image = [new Mount("erofs", "/layer.erofs", "", ["ro", "loop"]), new Mount("format/overlay", "overlay", "", [])];

    private readonly ConcurrentDictionary<string, bool> _known = new();
    private readonly FakeKernel _kernel = new();
    private IActorRef _namespaces = ActorRefs.Nobody;
    private IActorRef _mounts = ActorRefs.Nobody;
    private int _starts;

    public MountsActorSpecs()
        : base(ConfigurationFactory.ParseString("""
            akka.loglevel = OFF
            akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
            akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
            """).WithFallback(ExecutorReference.Config)) => Start();

    [Fact]
    public async Task What_is_mounted_is_recorded_and_told()
    {
        Activation activation = await Do(Activate("m"));
        Assert.Equal([1L], _kernel.Mounted);
        Assert.Equal(("m", 1L, "/t/1/0"), (activation.Name, activation.Number, Assert.Single(activation.Active).MountPoint));
        Assert.Equal("overlay", Assert.Single(activation.System).Type);
        Assert.Equal(activation, await Do(new MountCommands.Get(Ns, "m")));
        Assert.Equal(activation, Assert.Single(await Do(new MountCommands.List(Ns))));
        Assert.Empty(await Do(new MountCommands.List("other")));
    }

    [Fact]
    public async Task What_clients_can_mount_themselves_is_left_to_them()
    {
        Assert.Equal("not implemented", await Refusal(Activate("m") with { Mounts = [new Mount("bind", "/a", "", ["rbind"])] }));
        Assert.Empty(_kernel.Mounted);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused_and_nothing_is_mounted_for_it()
    {
        await Do(Activate("m"));
        Assert.Equal("mount \"m\": already exists", await Refusal(Activate("m")));
        Assert.Equal([1L], _kernel.Mounted);
    }

    [Fact]
    public async Task Of_two_at_once_one_gets_the_name_and_the_other_leaves_nothing()
    {
        _kernel.Gate.Reset();
        Task<Reply<Activation>> first = Ask(Activate("m"));
        Task<Reply<Activation>> second = Ask(Activate("m"));
        _kernel.Gate.Set();
        Reply<Activation>[] both = await Task.WhenAll(first, second);
        Activation winner = Assert.Single(both.OfType<Done<Activation>>()).Result;
        Assert.Equal("mount \"m\": already exists", Assert.Single(both.OfType<Refused<Activation>>()).Error.Text);
        Assert.Equal([winner.Number], _kernel.Mounted);
    }

    [Fact]
    public async Task What_the_kernel_refuses_is_told_and_not_recorded()
    {
        _kernel.Refuses = true;
        Assert.Equal("mount /t: device or resource busy (EBUSY): unavailable", await Refusal(Activate("m")));
        Assert.Equal("mount \"m\" not found", await Refusal(new MountCommands.Get(Ns, "m")));
    }

    [Fact]
    public async Task A_deactivation_unmounts_and_frees_the_name()
    {
        await Do(Activate("m"));
        await Do(new MountCommands.Deactivate(Ns, "m", By));
        Assert.Empty(_kernel.Mounted);
        Assert.Equal("mount \"m\" not found", await Refusal(new MountCommands.Deactivate(Ns, "m", By)));
        Assert.Equal(2, (await Do(Activate("m"))).Number);
    }

    [Fact]
    public async Task What_is_in_use_is_told_and_goes_with_the_next_sweep()
    {
        await Do(Activate("m"));
        _kernel.Busy[1] = true;
        Assert.Equal("umount2 /t: device or resource busy (EBUSY): unavailable", await Refusal(new MountCommands.Deactivate(Ns, "m", By)));
        Assert.Equal([1L], _kernel.Mounted);
        Assert.Equal(1, (await SweepAsync()).Count);
        Assert.Empty(_kernel.Mounted);
    }

    [Fact]
    public async Task A_sweep_leaves_what_is_kept_and_what_is_being_mounted()
    {
        await Do(Activate("kept"));
        _kernel.Begun.Reset();
        _kernel.Gate.Reset();
        Task<Reply<Activation>> under = Ask(Activate("under-way"));
        Assert.True(_kernel.Begun.Wait(Patience));
        long generation = await Do(new SweepCommands.BeginMounts());
        _kernel.Gate.Set();
        Assert.IsType<Done<Activation>>(await under);
        Assert.Equal(0, (await Do(new SweepCommands.SweepMounts([1], generation, By))).Count);
        Assert.Equal([1L, 2L], _kernel.Mounted);
        Assert.Equal(1, (await SweepAsync(isDry: true, 1)).Count);
        Assert.Equal([1L, 2L], _kernel.Mounted);
        Assert.Equal(0, (await Do(new SweepCommands.SweepMounts([], generation, By))).Count);
    }

    [Fact]
    public async Task A_restart_finds_what_is_still_mounted()
    {
        await Do(Activate("m"));
        await EndAsync();
        Start();
        Assert.Equal(1, (await Do(new MountCommands.Get(Ns, "m"))).Number);
        Assert.Equal(2, (await Do(Activate("n"))).Number);
    }

    [Fact]
    public async Task What_a_reboot_unmounted_is_gone_and_the_record_says_why()
    {
        await Do(Activate("m"));
        await EndAsync();
        _kernel.Reboot();
        Start();
        Assert.Equal("mount \"m\" not found", await Refusal(new MountCommands.Get(Ns, "m")));
        Assert.Equal(2, (await Do(Activate("m"))).Number);
    }

    [Fact]
    public async Task Mounts_without_a_record_are_undone_by_the_first_sweep()
    {
        _kernel.Gate.Reset();
        Task<Reply<Activation>> lost = Ask(Activate("m"));
        Assert.True(_kernel.Begun.Wait(Patience));
        await EndAsync();
        _kernel.Gate.Set();
        AwaitCondition(() => _kernel.Mounted.Count == 1, Patience);
        Start();
        Assert.Empty(await Do(new MountCommands.List(Ns)));
        Assert.Equal(1, (await SweepAsync()).Count);
        Assert.Empty(_kernel.Mounted);
        Assert.False(lost.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task An_activation_under_a_lease_that_there_is_not_mounts_nothing()
    {
        Assert.Equal("lease does not exist: not found", await Refusal(Activate("m") with { By = By with { Lease = "l" } }));
        Assert.Empty(_kernel.Mounted);
        await Ask(_namespaces, new LeaseCommands.Create(Ns, "l", Labels.None, By));
        Assert.Equal("l", (await Do(Activate("m") with { By = By with { Lease = "l" } })).Lease);
    }

    [Fact]
    public async Task A_task_gets_what_its_shim_can_mount_and_gives_it_back()
    {
        TaskMounts tasks = new(Patience);
        tasks.Connect(_mounts);
        ImmutableArray<RootfsMount> wanted = [.. Image.Select(mount => new RootfsMount(mount.Type, mount.Source, mount.Target, mount.Options))];
        Assert.Equal("overlay", Assert.Single(await tasks.ActivateAsync(Ns, "c", wanted, By, CancellationToken.None)).Type);
        Assert.Equal("c", (await Do(new MountCommands.Get(Ns, "c"))).Labels["containerd.io/gc.bref.container"]);

        // What a task left that is no more gives way to the next one of its id.
        await tasks.ActivateAsync(Ns, "c", wanted, By, CancellationToken.None);
        Assert.Equal([2L], _kernel.Mounted);
        await tasks.DeactivateAsync(Ns, "c", CancellationToken.None);
        await tasks.DeactivateAsync(Ns, "c", CancellationToken.None);
        Assert.Empty(_kernel.Mounted);
    }

    [Fact]
    public async Task A_task_that_needs_nothing_is_told_what_was_asked_for_and_takes_nothing_from_clients()
    {
        TaskMounts tasks = new(Patience);
        tasks.Connect(_mounts);
        ImmutableArray<RootfsMount> plain = [new RootfsMount("overlay", "overlay", "", ["lowerdir=/a"])];
        Assert.Equal(plain, await tasks.ActivateAsync(Ns, "c", plain, By, CancellationToken.None));
        await Do(Activate("c"));
        await tasks.DeactivateAsync(Ns, "c", CancellationToken.None);
        Assert.Equal([1L], _kernel.Mounted);
    }

    protected override void AfterAll()
    {
        _kernel.Gate.Set();
        base.AfterAll();
    }

    private static MountCommands.Activate Activate(string name) => new(Ns, name, Image, Labels.None, IsTemporary: false, By);

    private async Task<Swept> SweepAsync(bool isDry = false, params ImmutableHashSet<long> keep) =>
        await Do(new SweepCommands.SweepMounts(keep, await Do(new SweepCommands.BeginMounts()), By, isDry));

    private Task<Reply<T>> Ask<T>(IRequest<T> request) => Ask(_mounts, request);

    private static Task<Reply<T>> Ask<T>(IActorRef actor, IRequest<T> request) => actor.Ask<Reply<T>>(request, Patience);

    private async Task<T> Do<T>(IRequest<T> request) => (await Ask(request)).Value;

    private async Task<string> Refusal<T>(IRequest<T> request) => Assert.IsType<Refused<T>>(await Ask(request)).Error.Text;

    private void Start()
    {
        IActorRef executor = Sys.ActorOf(SyscallExecutor.Props(ExecutorSettings.Read(ExecutorReference.Config), _kernel), $"executor-{++_starts}");
        NamespaceSettings settings = NamespaceSettings.From(NamespaceSettings.Default);
        _namespaces = Sys.ActorOf(NamespacesSupervisor.Props(
            prefix => [.. _known.Keys.Select(name => $"{prefix}{name}")],
            name =>
            {
                _known[name] = true;
                return NamespaceActor.Props(name, settings, [], TimeProvider.System);
            },
            settings,
            TimeProvider.System));
        _mounts = Sys.ActorOf(MountsActor.Props(executor, _namespaces, TimeProvider.System));
    }

    private async Task EndAsync()
    {
        await _mounts.GracefulStop(Patience, Kill.Instance);
        await _namespaces.GracefulStop(Patience, Kill.Instance);
    }
}
