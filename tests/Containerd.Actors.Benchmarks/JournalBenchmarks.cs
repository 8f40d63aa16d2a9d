// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.Persistence;
using BenchmarkDotNet.Attributes;
using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Persistence;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Persistence.Stored;
using Containerd.Actors.Protocol.Callers;

namespace Containerd.Actors.Benchmarks;

/// <summary>The journal on a disk: durable appends as actors make them, and the codec and reading of the whole log.</summary>
[MemoryDiagnoser]
public class JournalBenchmarks
{
    private const int Writers = 50;
    private const int Each = 100;
    private const int Log = 20_000;

    private static readonly Recorded Stored = new(
        "default", new TaskEvents.Started("", 42), new Caller(Principal.User(0, 0, 1, "/usr/bin/ctr"), "op", "trace", ""), DateTimeOffset.UnixEpoch);

    private static readonly (string Manifest, byte[] Payload) Written = EventCodec.Write(Stored.Event);

    private string _directory = "";
    private ActorSystem? _system;
    private IActorRef[] _actors = [];

    [GlobalSetup]
    public async Task StartAsync()
    {
        // Beside the program: /tmp may be memory.
        _directory = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, $"journal-{Guid.NewGuid():n}")).FullName;
        _system = ActorSystem.Create("bench", PersistenceConfig.In(_directory));
        _actors = [.. Enumerable.Range(0, Writers).Select(i => _system.ActorOf(Props.Create(() => new Writer($"task/default/{i}"))))];
        await AppendAsync(_actors, Log / Writers);
    }

    [GlobalCleanup]
    public async Task StopAsync()
    {
        await _system!.Terminate();
        Directory.Delete(_directory, recursive: true);
    }

    [Benchmark]
    public Task Append_by_one_actor() => AppendAsync(_actors[..1], 1);

    [Benchmark(OperationsPerInvoke = Writers * Each)]
    public Task Append_by_50_actors() => AppendAsync(_actors, Each);

    [Benchmark(OperationsPerInvoke = Log)]
    public async Task<ulong> Read_from_the_log()
    {
        ulong last = 0;
        await foreach (JournalRecord record in JournalExtension.For(_system!).Store.Read(0, Log, JournalFilter.All, CancellationToken.None))
        {
            last = record.Cursor;
        }

        return last;
    }

    [Benchmark]
    public byte[] Encode_an_event() => EventCodec.Write(Stored.Event).Payload;

    [Benchmark]
    public DomainEvent Decode_an_event() => EventCodec.Read(Written.Manifest, Written.Payload);

    private static Task<int[]> AppendAsync(IActorRef[] actors, int each) => Task.WhenAll(actors.Select(actor => actor.Ask<int>(each)));

    /// <summary>Stores one event after the other, each when the one before is durable, and answers at the end.</summary>
    private sealed class Writer : UntypedPersistentActor
    {
        private IActorRef _asker = ActorRefs.Nobody;
        private int _left;

        public Writer(string id) => PersistenceId = id;

        public override string PersistenceId { get; }

        protected override void OnCommand(object message)
        {
            (_asker, _left) = (Sender, (int)message);
            Next();
        }

        protected override void OnRecover(object message)
        {
        }

        private void Next() => Persist(Stored, _ =>
        {
            if (--_left > 0)
            {
                Next();
            }
            else
            {
                _asker.Tell(0);
            }
        });
    }
}
