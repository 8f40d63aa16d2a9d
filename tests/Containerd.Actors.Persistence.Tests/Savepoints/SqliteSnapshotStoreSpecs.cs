// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Persistence;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Persistence.Savepoints;
using Containerd.Actors.Persistence.Tests.Journals;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Tests.Savepoints;

/// <summary>What Akka asks of every snapshot store, through its own protocol.</summary>
public sealed class SqliteSnapshotStoreSpecs : TestKit
{
    private const string Id = "p-1";
    private readonly Scratch _scratch;
    private readonly TestProbe _sender;
    private readonly IActorRef _store;
    private readonly List<SnapshotMetadata> _saved = [];

    public SqliteSnapshotStoreSpecs()
        : this(new Scratch())
    {
    }

    private SqliteSnapshotStoreSpecs(Scratch scratch)
        : base(ActorSystemSetup.Create(
            BootstrapSetup.Create().WithConfig(
                ConfigurationFactory.ParseString("akka.persistence.publish-plugin-commands = on\n" + TestSerializer.Hocon)
                    .WithFallback(PersistenceConfig.In(scratch.Directory)).WithFallback(DefaultConfig)),
            new SavepointSetup([new CounterForm()])))
    {
        _scratch = scratch;
        _sender = CreateTestProbe();
        _store = Akka.Persistence.Persistence.Instance.Apply(Sys).SnapshotStoreFor(null);
        for (int i = 1; i <= 5; i++)
        {
            _saved.Add(Save(new SnapshotMetadata(Id, 10 + i, Scratch.Noon.UtcDateTime.AddSeconds(i)), $"s-{i}"));
        }
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _scratch.Dispose();
    }

    [Fact]
    public void Nothing_is_found_for_an_actor_that_saved_nothing() =>
        Assert.Null(Load(SnapshotSelectionCriteria.Latest, long.MaxValue, "nobody"));

    [Fact]
    public void Nothing_is_found_before_the_first_time() =>
        Assert.Null(Load(new SnapshotSelectionCriteria(long.MaxValue, new DateTime(100_000, DateTimeKind.Utc)), long.MaxValue));

    [Fact]
    public void Nothing_is_found_below_the_first_sequence_number()
    {
        Assert.Null(Load(new SnapshotSelectionCriteria(7), long.MaxValue));
        Assert.Null(Load(SnapshotSelectionCriteria.Latest, 7));
    }

    [Fact]
    public void The_newest_is_found()
    {
        SelectedSnapshot? found = Load(SnapshotSelectionCriteria.Latest, long.MaxValue);

        Assert.Equal(("s-5", _saved[4]), (found?.Snapshot, found?.Metadata));
    }

    [Fact]
    public void The_newest_below_a_sequence_number_is_found()
    {
        Assert.Equal("s-3", Load(new SnapshotSelectionCriteria(13), long.MaxValue)?.Snapshot);
        Assert.Equal("s-3", Load(SnapshotSelectionCriteria.Latest, 13)?.Snapshot);
    }

    [Fact]
    public void The_newest_below_a_sequence_number_and_a_time_is_found()
    {
        Assert.Equal("s-3", Load(new SnapshotSelectionCriteria(13, _saved[2].Timestamp), long.MaxValue)?.Snapshot);
        Assert.Equal("s-3", Load(new SnapshotSelectionCriteria(long.MaxValue, _saved[2].Timestamp), 13)?.Snapshot);
    }

    [Fact]
    public void One_is_deleted_by_its_sequence_number()
    {
        TestProbe subscriber = CreateTestProbe();
        Sys.EventStream.Subscribe(subscriber.Ref, typeof(DeleteSnapshot));

        _store.Tell(new DeleteSnapshot(new SnapshotMetadata(Id, 13, DateTime.MinValue)), _sender.Ref);

        subscriber.ExpectMsg<DeleteSnapshot>();
        _sender.ExpectMsg<DeleteSnapshotSuccess>();
        Assert.Equal("s-2", Load(new SnapshotSelectionCriteria(13), long.MaxValue)?.Snapshot);
    }

    [Fact]
    public void All_up_to_a_sequence_number_and_a_time_are_deleted()
    {
        _store.Tell(new DeleteSnapshots(Id, new SnapshotSelectionCriteria(13, _saved[2].Timestamp)), _sender.Ref);
        _sender.ExpectMsg<DeleteSnapshotsSuccess>();

        Assert.Null(Load(new SnapshotSelectionCriteria(13, _saved[2].Timestamp), long.MaxValue));
        Assert.Equal("s-4", Load(new SnapshotSelectionCriteria(14, _saved[3].Timestamp), long.MaxValue)?.Snapshot);
    }

    [Fact]
    public void A_time_that_does_not_match_keeps_the_savepoint()
    {
        _store.Tell(new DeleteSnapshots(Id, new SnapshotSelectionCriteria(14, _saved[3].Timestamp.AddTicks(-1))), _sender.Ref);
        _sender.ExpectMsg<DeleteSnapshotsSuccess>();

        Assert.Equal("s-4", Load(new SnapshotSelectionCriteria(14, _saved[3].Timestamp), long.MaxValue)?.Snapshot);
    }

    [Fact]
    public void The_same_sequence_number_again_replaces_the_savepoint()
    {
        Save(_saved[4], "s-5-modified");

        Assert.Equal("s-5-modified", Load(SnapshotSelectionCriteria.Latest, long.MaxValue)?.Snapshot);
    }

    [Fact]
    public void A_large_state_comes_back_as_it_was()
    {
        byte[] large = [.. Enumerable.Range(0, 1_000_000).Select(i => (byte)(i * 31))];
        Save(new SnapshotMetadata(Id, 100, DateTime.UtcNow), large);

        Assert.Equal(large, Load(SnapshotSelectionCriteria.Latest, long.MaxValue)?.Snapshot);
    }

    [Fact]
    public void A_state_of_others_goes_through_its_serializer()
    {
        TestPayload payload = new(_sender.Ref);
        Save(new SnapshotMetadata(Id, 100, DateTime.UtcNow), payload);

        Assert.Equal(payload, Load(SnapshotSelectionCriteria.Latest, long.MaxValue)?.Snapshot);
    }

    [Fact]
    public void A_state_that_cannot_be_serialized_fails()
    {
        _store.Tell(new SaveSnapshot(new SnapshotMetadata(Id, 100, DateTime.UtcNow), new UnserializablePayload()), _sender.Ref);

        Assert.Contains("cannot be serialized", _sender.ExpectMsg<SaveSnapshotFailure>().Cause.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_with_a_form_of_its_own_uses_it_and_an_unknown_form_is_passed_over()
    {
        Save(new SnapshotMetadata(Id, 100, DateTime.UtcNow), new Counter(42));
        Assert.Equal(new Counter(42), Load(SnapshotSelectionCriteria.Latest, long.MaxValue)?.Snapshot);

        using (SqliteConnection connection = new($"Data Source={Path.Combine(_scratch.Directory, "savepoints.db")};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "update savepoints set manifest = 'counter:9' where sequence = 100";
            command.ExecuteNonQuery();
        }

        Assert.Equal("s-5", Load(SnapshotSelectionCriteria.Latest, long.MaxValue)?.Snapshot);
    }

    [Fact]
    public void A_savepoint_of_events_comes_back_as_it_was()
    {
        Core.Events.DomainEvent[] events = [new TaskEvents.Created(7), new TaskEvents.Exited("", 7, 1, Scratch.Noon, "x")];
        Save(new SnapshotMetadata(Id, 100, DateTime.UtcNow), new Core.Events.Savepoint([.. events]));

        Core.Events.Savepoint found = Assert.IsType<Core.Events.Savepoint>(Load(SnapshotSelectionCriteria.Latest, long.MaxValue)?.Snapshot);
        Assert.Equal(events, found.Events.ToArray());
    }

    [Fact]
    public async Task A_savepoint_of_an_incarnation_that_ended_is_passed_over()
    {
        JournalStore journal = JournalExtension.For(Sys).Store;
        await journal.Append([Scratch.Row(Id, 15, new TaskEvents.Deleted(1, 0, Scratch.Noon))]);

        Assert.Null(Load(SnapshotSelectionCriteria.Latest, long.MaxValue));
    }

    private SnapshotMetadata Save(SnapshotMetadata metadata, object state)
    {
        _store.Tell(new SaveSnapshot(metadata, state), _sender.Ref);
        return _sender.ExpectMsg<SaveSnapshotSuccess>().Metadata;
    }

    private SelectedSnapshot? Load(SnapshotSelectionCriteria criteria, long to, string id = Id)
    {
        _store.Tell(new LoadSnapshot(id, criteria, to), _sender.Ref);
        return _sender.ExpectMsg<LoadSnapshotResult>(result => result.ToSequenceNr == to).Snapshot;
    }

    private sealed record Counter(int Value);

    private sealed class CounterForm : SavepointForm
    {
        public override string Manifest => "counter:1";

        public override Type StateType => typeof(Counter);

        public override byte[] Write(object state) => Encoding.UTF8.GetBytes($"{((Counter)state).Value}");

        public override object? Read(ReadOnlyMemory<byte> bytes) => new Counter(int.Parse(Encoding.UTF8.GetString(bytes.Span), null));
    }
}
