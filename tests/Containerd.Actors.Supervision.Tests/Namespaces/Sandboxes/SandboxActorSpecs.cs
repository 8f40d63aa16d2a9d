// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Namespaces.Sandboxes;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Sandboxes;

/// <summary>The sandboxes of one namespace on a journal in memory and a controller that is scripted.</summary>
public sealed class SandboxActorSpecs : TestKit
{
    private const string Ns = "default";
    private static readonly Caller By = new(Principal.User(0, 0, 42, "/usr/bin/ctr"));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly SandboxRecord Pod = new("pod") { RuntimeName = "io.containerd.test.v1", Labels = Labels.From([KeyValuePair.Create("a", "1")]) };
    private readonly FakeSandboxer _world = new("shim");
    private ImmutableList<object> _announced = [];
    private IActorRef _namespace;

    public SandboxActorSpecs()
        : base(ConfigurationFactory.ParseString("""
            akka.loglevel = OFF
            akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
            akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
            """)) => _namespace = Start([]);

    [Fact]
    public async Task A_record_is_kept_listed_changed_and_forgotten_without_a_controller()
    {
        await Do(new SandboxCommands.Create(Ns, Pod, By));
        Assert.Equal("pod", Assert.Single(await Do(new SandboxQueries.List(Ns, By))).Id);
        await Do(new SandboxCommands.Update(Ns, Pod with { Labels = Labels.From([KeyValuePair.Create("b", "2")]) }, ["labels"], By));
        Assert.Equal(["b"], (await Do(new SandboxQueries.Get(Ns, "pod", By))).Labels.Keys);
        await Do(new SandboxCommands.Delete(Ns, "pod", By));
        Assert.Empty(await Do(new SandboxQueries.List(Ns, By)));
        Assert.Equal("bucket \"pod\" not found: not found", await Refusal(new SandboxQueries.Get(Ns, "pod", By)));
        Assert.Equal(3, _announced.Count(each => each is ContainerRoots.Set or ContainerRoots.Remove));
        Assert.Empty(_world.Deeds);
    }

    [Fact]
    public async Task A_sandbox_is_made_started_stopped_waited_for_and_shut_down()
    {
        await Do(new SandboxCommands.Create(Ns, Pod, By));
        await Do(new SandboxControl.Create(Ns, "pod", "shim", By));
        Assert.Equal(7u, (await Do(new SandboxControl.Start(Ns, "pod", "shim", By))).Pid);
        Assert.Equal("amd64", (await Do(new SandboxControl.Platform(Ns, "pod", "shim", By))).Architecture);
        Assert.Equal("pod", (await Do(new SandboxControl.Metrics(Ns, "pod", "shim", By))).Id);
        SandboxStatus status = await Do(new SandboxControl.Status(Ns, "pod", "shim", true, By));
        Assert.Equal(("SANDBOX_READY", "ttrpc+unix:///pod"), (status.State, status.Address));
        Task<Reply<SandboxExit>> waiting = await WaitAsync();
        await Do(new SandboxControl.Stop(Ns, "pod", "shim", 5, By));
        Assert.Equal(143u, (await waiting).Value.Status);
        Assert.Equal(143u, (await Do(new SandboxControl.Wait(Ns, "pod", "shim", By))).Status);
        await Do(new SandboxControl.Shutdown(Ns, "pod", "shim", By));
        Assert.Equal("sandbox pod: not found", await Refusal(new SandboxControl.Wait(Ns, "pod", "shim", By)));
        Assert.Equal(["create pod with io.containerd.test.v1", "start pod", "stop pod in 5", "shut down pod"], _world.Deeds);
        Assert.Equal("pod", (await Do(new SandboxQueries.Get(Ns, "pod", By))).Id);
    }

    [Fact]
    public async Task What_is_not_there_is_stopped_has_an_empty_status_and_is_not_found()
    {
        await Do(new SandboxControl.Stop(Ns, "none", "shim", 1, By));
        SandboxStatus status = await Do(new SandboxControl.Status(Ns, "none", "shim", false, By));
        Assert.Equal(("none", "", 0u), (status.SandboxId, status.State, status.Pid));
        Assert.NotNull(status.ExitedAt);
        Assert.Equal("sandbox none: not found", await Refusal(new SandboxControl.Shutdown(Ns, "none", "shim", By)));
        Assert.Equal(
            "failed to start sandbox \"none\": unable to find sandbox \"none\"", await Refusal(new SandboxControl.Start(Ns, "none", "shim", By)));
    }

    [Theory]
    [InlineData("", "invalid argument: sandbox controller name can not be empty")]
    [InlineData("vm", "not found: failed to get sandbox controller by vm")]
    public async Task A_controller_that_is_none_is_refused(string name, string text) =>
        Assert.Equal(text, await Refusal(new SandboxControl.Create(Ns, "pod", name, By)));

    [Fact]
    public async Task A_creation_that_fails_leaves_nothing()
    {
        _world.CreateError = Error.Unknown("no such shim");
        Assert.Equal("no such shim", await Refusal(new SandboxControl.Create(Ns, "pod", "shim", By)));
        _world.CreateError = null;
        await Do(new SandboxControl.Create(Ns, "pod", "shim", By));
        Assert.Equal("sandbox pod already running: already exists", await Refusal(new SandboxControl.Create(Ns, "pod", "shim", By)));
    }

    [Fact]
    public async Task A_start_that_fails_takes_back_what_was_made()
    {
        await Do(new SandboxControl.Create(Ns, "pod", "shim", By));
        Task<Reply<SandboxExit>> waiting = await WaitAsync();
        _world.StartError = Error.Unknown("no kernel");
        Assert.Equal("failed to start sandbox \"pod\": no kernel", await Refusal(new SandboxControl.Start(Ns, "pod", "shim", By)));
        Assert.IsType<Refused<SandboxExit>>(await waiting);
        Assert.Empty(_world.Living);
        Assert.Equal("sandbox pod: not found", await Refusal(new SandboxControl.Metrics(Ns, "pod", "shim", By)));
    }

    [Fact]
    public async Task A_status_is_told_while_the_sandbox_starts()
    {
        await Do(new SandboxControl.Create(Ns, "pod", "shim", By));
        _world.StartGate = new TaskCompletionSource();
        Task<Reply<SandboxStart>> starting = Ask(new SandboxControl.Start(Ns, "pod", "shim", By));
        Assert.Equal("SANDBOX_READY", (await Do(new SandboxControl.Status(Ns, "pod", "shim", false, By))).State);
        _world.StartGate.SetResult();
        Assert.IsType<Done<SandboxStart>>(await starting);
    }

    // Waits are taken in order: when the next request is answered, the wait is known.
    private async Task<Task<Reply<SandboxExit>>> WaitAsync()
    {
        Task<Reply<SandboxExit>> waiting = Ask(new SandboxControl.Wait(Ns, "pod", "shim", By));
        await Do(new SandboxControl.Status(Ns, "pod", "shim", false, By));
        return waiting;
    }

    [Fact]
    public async Task A_shim_that_dies_ends_the_sandbox_for_whoever_waits()
    {
        await Running();
        Task<Reply<SandboxExit>> waiting = await WaitAsync();
        _world.Living["pod"].Die();
        Assert.Equal(137u, (await waiting).Value.Status);
        await AwaitConditionAsync(
            async () => await Ask(new SandboxControl.Platform(Ns, "pod", "shim", By)) is Refused<SandboxPlatform>, Patience, TimeSpan.FromMilliseconds(10));
        Assert.Contains("clean up pod", _world.Deeds);
    }

    [Fact]
    public async Task A_sandbox_outlives_the_daemon_and_is_found_again()
    {
        await Running();
        await Restart();
        Assert.Equal(7u, (await Do(new SandboxControl.Status(Ns, "pod", "shim", false, By))).Pid);
        Task<Reply<SandboxExit>> waiting = await WaitAsync();
        _world.Living["pod"].Ended.SetResult(new SandboxExit(3, FakeSandboxer.MadeAt));
        Assert.Equal(3u, (await waiting).Value.Status);
    }

    [Fact]
    public async Task What_went_away_while_the_daemon_was_down_is_recorded_as_lost()
    {
        await Running();
        _world.Living.Clear();
        await Restart();
        Assert.Equal("sandbox pod: not found", await Refusal(new SandboxControl.Shutdown(Ns, "pod", "shim", By)));
        Assert.Contains("clean up pod", _world.Deeds);
    }

    // Not every sandbox has a process.
    [Theory]
    [InlineData(7u, "SANDBOX_READY", "sandbox pod runs already: failed precondition")]
    [InlineData(7u, "SANDBOX_NOTREADY", "sandbox pod runs already: failed precondition")]
    [InlineData(0u, "SANDBOX_READY", "sandbox pod runs already: failed precondition")]
    [InlineData(0u, "SANDBOX_NOTREADY", "unable to find sandbox \"pod\"")]
    public async Task A_start_that_a_killed_daemon_left_is_found_to_have_been_done_or_is_taken_back(uint pid, string state, string text)
    {
        await Do(new SandboxControl.Create(Ns, "pod", "shim", By));
        _world.StartGate = new TaskCompletionSource();
        _ = Ask(new SandboxControl.Start(Ns, "pod", "shim", By));
        await AwaitConditionAsync(() => Task.FromResult(_world.Deeds.Contains("start pod")), Patience, TimeSpan.FromMilliseconds(10));
        (_world.Living["pod"].Pid, _world.Living["pod"].State) = (pid, state);
        await Restart();
        Assert.Equal(
            $"failed to start sandbox \"pod\": {text}",
            await Refusal(new SandboxControl.Start(Ns, "pod", "shim", By)));
    }

    [Fact]
    public async Task The_namespace_hears_that_every_sandbox_told_what_it_keeps()
    {
        await Do(new SandboxCommands.Create(Ns, Pod, By));
        await Restart();
        await Do(new SandboxQueries.List(Ns, By));
        Assert.Equal("sandbox/pod", Assert.IsType<ContainerRoots.Set>(_announced[0]).Root.ContainerId);
        Assert.Equal("sandboxes", Assert.IsType<ContainerRoots.Complete>(_announced[^1]).Child);
    }

    private async Task Running()
    {
        await Do(new SandboxControl.Create(Ns, "pod", "shim", By));
        await Do(new SandboxControl.Start(Ns, "pod", "shim", By));
    }

    private Task<Reply<T>> Ask<T>(IRequest<T> request) => _namespace.Ask<Reply<T>>(request, Patience);

    private async Task<T> Do<T>(IRequest<T> request) => (await Ask(request)).Value;

    private async Task<string> Refusal<T>(IRequest<T> request) => Assert.IsType<Refused<T>>(await Ask(request)).Error.Text;

    private async Task Restart()
    {
        await _namespace.GracefulStop(Patience);
        _announced = [];
        _namespace = Start(await IsLiving() ? [EntityIds.Sandbox(Ns, "pod")] : []);
    }

    private async Task<bool> IsLiving()
    {
        IActorRef reader = Sys.ActorOf(Props.Create(() => new Reader()));
        bool living = await reader.Ask<bool>("?", Patience);
        await reader.GracefulStop(Patience);
        return living;
    }

    private IActorRef Start(string[] living) => Sys.ActorOf(Props.Create(() => new NamespaceStub(this, living)));

    private sealed class NamespaceStub : UntypedActor
    {
        private readonly SandboxActorSpecs _specs;
        private readonly IActorRef _sandboxes;

        public NamespaceStub(SandboxActorSpecs specs, string[] living)
        {
            _specs = specs;
            _sandboxes = Context.ActorOf(
                SandboxesSupervisor.PropsOf(Ns, [specs._world], _ => living, new SandboxesSettings(), TimeProvider.System), "sandboxes");
        }

        protected override void OnReceive(object message)
        {
            if (message is ContainerRoots.Set or ContainerRoots.Remove or ContainerRoots.Complete)
            {
                _specs._announced = _specs._announced.Add(message);
                Sender.Tell(Reply.Done());
            }
            else
            {
                _sandboxes.Forward(message);
            }
        }
    }

    private sealed class Reader : UntypedPersistentActor
    {
        private bool _isLiving;

        public override string PersistenceId => EntityIds.Sandbox(Ns, "pod");

        protected override void OnCommand(object message) => Sender.Tell(_isLiving);

        protected override void OnRecover(object message) => _isLiving = message is Recorded recorded ? !recorded.Event.EndsEntity : _isLiving;
    }
}
