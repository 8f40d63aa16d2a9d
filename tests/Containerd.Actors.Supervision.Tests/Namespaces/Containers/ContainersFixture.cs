// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Namespaces.Containers;
using Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers;

/// <summary>The containers of one namespace on a journal in memory and shims that are scripted.</summary>
public abstract class ContainersFixture : TestKit
{
    protected const string Ns = "default";
    protected static readonly Caller By = new(Principal.User(0, 0, 42, "/usr/bin/ctr"));
    protected static readonly ProcessStdio Stdio = new("/in", "/out", "", false);
    protected static readonly AnyValue Spec = new("spec", "{}"u8.ToArray());
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private IActorRef _namespace;

    protected ContainersFixture()
        : base(ConfigurationFactory.ParseString("""
            akka.loglevel = WARNING
            akka.persistence.journal.plugin = "test.journal"
            test.journal {
              class = "Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.FailingJournal, Containerd.Actors.Supervision.Tests"
              plugin-dispatcher = "akka.actor.default-dispatcher"
            }
            akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
            """)) => _namespace = Start();

    internal FakeShims World { get; } = new();

    protected ContainersSettings Settings { get; } = new()
    {
        ShimCallTimeout = TimeSpan.FromSeconds(1),
        ShimQueryTimeout = TimeSpan.FromMilliseconds(300),
        ShimConnectTimeout = TimeSpan.FromMilliseconds(300),
        ShimReconnectInterval = TimeSpan.FromMilliseconds(50),
        RestartBackoffMin = TimeSpan.FromMilliseconds(20),
    };

    /// <summary>What containers told their namespace.</summary>
    protected ImmutableList<object> Announced { get; private set; } = [];

    protected Task<Reply<T>> Ask<T>(IRequest<T> request) => _namespace.Ask<Reply<T>>(request, Patience);

    protected async Task<T> Do<T>(IRequest<T> request) => (await Ask(request)).Value;

    protected async Task<string> Refusal<T>(IRequest<T> request) => Assert.IsType<Refused<T>>(await Ask(request)).Error.Text;

    protected void Tell(object message) => _namespace.Tell(message);

    protected ICanTell Select(string path) => Sys.ActorSelection(_namespace.Path / path.Split('/'));

    /// <summary>The daemon is killed and starts again; journal and shims stay.</summary>
    protected async Task Restart()
    {
        await _namespace.GracefulStop(Patience);
        foreach (FakeShim shim in World.Living.Values)
        {
            shim.OnCall = null;
        }

        _namespace = Start();
    }

    protected Task<ContainerRecord> CreateContainer(string id) => Do(new ContainerCommands.Create(
        Ns, new ContainerRecord(id) { RuntimeName = TaskCreation.Runc, Spec = Spec, Snapshotter = "overlayfs", SnapshotKey = id }, By));

    protected static TaskCommands.Create CreateTask(string id) => new(Ns, id, [], Stdio, By);

    protected async Task Run(string id)
    {
        await CreateContainer(id);
        await Do(CreateTask(id));
        await Do(new TaskCommands.Start(Ns, id, "", By));
    }

    protected async Task Exec(string id, string execId)
    {
        await Do(new TaskCommands.Exec(Ns, id, execId, Spec, Stdio, By));
        await Do(new TaskCommands.Start(Ns, id, execId, By));
    }

    protected Task<ProcessRecord> Get(string id, string execId = "") => Do(new TaskQueries.Get(Ns, id, execId, By));

    protected Task<ProcessExit> Wait(string id, string execId = "") => Do(new TaskQueries.Wait(Ns, id, execId, By));

    /// <summary>Asks until the answer is as expected; the test's own deadline ends it.</summary>
    protected async Task Until(Func<Task<bool>> holds) => await AwaitConditionAsync(holds, Patience, TimeSpan.FromMilliseconds(10));

    private IActorRef Start()
    {
        Announced = [];
        return Sys.ActorOf(Props.Create(() => new NamespaceStub(this)));
    }

    private sealed class NamespaceStub : UntypedActor
    {
        private readonly ContainersFixture _fixture;
        private readonly IActorRef _containers;

        public NamespaceStub(ContainersFixture fixture)
        {
            _fixture = fixture;
            _containers = Context.ActorOf(
                ContainersSupervisor.PropsOf(Ns, new Entities(fixture.Sys), fixture.World, fixture.Settings, TimeProvider.System), "containers");
        }

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case ContainerRoots.Set or ContainerRoots.Remove:
                    _fixture.Announced = _fixture.Announced.Add(message);
                    Sender.Tell(Reply.Done());
                    break;
                case ContainerRoots.Complete:
                    _fixture.Announced = _fixture.Announced.Add(message);
                    break;
                default:
                    _containers.Forward(message);
                    break;
            }
        }
    }

    /// <summary>Reads what the journal in memory holds.</summary>
    private sealed class Entities(ActorSystem system) : ILiveEntities
    {
        public async Task<ImmutableArray<string>> ListAsync(string prefix, CancellationToken cancellationToken)
        {
            ImmutableArray<string>.Builder living = ImmutableArray.CreateBuilder<string>();
            foreach (string id in Ids.Where(id => id.StartsWith(prefix, StringComparison.Ordinal)))
            {
                IActorRef reader = system.ActorOf(Props.Create(() => new Reader(id)));
                if (!await reader.Ask<bool>("ended?", Patience, cancellationToken))
                {
                    living.Add(id);
                }

                system.Stop(reader);
            }

            return living.ToImmutable();
        }

        private static IEnumerable<string> Ids => new[] { "a", "b", "c", "shim" }.SelectMany(
            id => new[] { EntityIds.Container(Ns, id), EntityIds.Task(Ns, id) });
    }

    private sealed class Reader(string id) : Akka.Persistence.UntypedPersistentActor
    {
        private bool _ended = true;

        public override string PersistenceId => id;

        protected override void OnCommand(object message) => Sender.Tell(_ended);

        protected override void OnRecover(object message)
        {
            if (message is Recorded recorded)
            {
                _ended = recorded.Event.EndsEntity;
            }
        }
    }
}
