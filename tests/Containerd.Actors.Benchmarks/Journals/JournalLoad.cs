// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Persistence;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Protocol.Callers;

namespace Containerd.Actors.Benchmarks.Journals;

/// <summary>A journal of its own in a directory, and actors that write to it, read it and recover from it as the daemon's do.</summary>
internal sealed class JournalLoad : IAsyncDisposable
{
    /// <summary>The event that is written.</summary>
    public static readonly Recorded Stored = new(
        "default", new TaskEvents.Started("", 42), new Caller(Principal.User(0, 0, 1, "/usr/bin/ctr"), "op", "trace", ""), DateTimeOffset.UnixEpoch);

    private static readonly Config Quiet = ConfigurationFactory.ParseString("akka { loglevel = WARNING, stdout-loglevel = WARNING }");
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string _directory;
    private readonly ActorSystem _system;

    private JournalLoad(string directory, ActorSystem system) => (_directory, _system) = (directory, system);

    /// <summary>Opens a journal in a new directory below this one, which decides on what disk it lies.</summary>
    public static JournalLoad Open(string below)
    {
        string directory = Directory.CreateDirectory(Path.Combine(below, $"journal-{Guid.NewGuid():n}")).FullName;
        return new JournalLoad(directory, ActorSystem.Create("bench", PersistenceConfig.In(directory, Quiet)));
    }

    /// <summary>Actors with entities of their own; each has recovered when this is answered.</summary>
    public async Task<IActorRef[]> StartAsync(int count)
    {
        IActorRef[] actors = [.. Enumerable.Range(0, count).Select(i => _system.ActorOf(Props.Create(() => new Entity($"task/default/{i}"))))];
        await Task.WhenAll(actors.Select(actor => actor.Ask<TimeSpan[]>(0, Patience)));
        return actors;
    }

    /// <summary>Ends actors; what they wrote stays.</summary>
    public static Task StopAsync(IActorRef[] actors) => Task.WhenAll(actors.Select(actor => actor.GracefulStop(Patience)));

    /// <summary>Each stores so many events, one after the other; how long each took until it was durable.</summary>
    public static async Task<TimeSpan[]> AppendAsync(IActorRef[] actors, int each) =>
        [.. (await Task.WhenAll(actors.Select(actor => actor.Ask<TimeSpan[]>(each, Patience)))).SelectMany(times => times)];

    /// <summary>Reads the whole log; how many records it has.</summary>
    public async Task<int> ReadAsync()
    {
        int count = 0;
        await foreach (JournalRecord record in JournalExtension.For(_system).Store.Read(0, int.MaxValue, JournalFilter.All, CancellationToken.None))
        {
            count++;
        }

        return count;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _system.Terminate();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Stores one event after the other, each when the one before is durable, and answers with the time of each.</summary>
    private sealed class Entity : UntypedPersistentActor
    {
        private IActorRef _asker = ActorRefs.Nobody;
        private TimeSpan[] _times = [];
        private int _done;

        public Entity(string id) => PersistenceId = id;

        public override string PersistenceId { get; }

        protected override void OnCommand(object message)
        {
            (_asker, _times, _done) = (Sender, new TimeSpan[(int)message], 0);
            Next();
        }

        protected override void OnRecover(object message)
        {
        }

        private void Next()
        {
            if (_done == _times.Length)
            {
                _asker.Tell(_times);
                return;
            }

            long started = Stopwatch.GetTimestamp();
            Persist(Stored, _ =>
            {
                _times[_done++] = Stopwatch.GetElapsedTime(started);
                Next();
            });
        }
    }
}
