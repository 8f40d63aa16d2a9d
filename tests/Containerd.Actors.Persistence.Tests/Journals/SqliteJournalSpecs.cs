// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Protocol.Callers;

namespace Containerd.Actors.Persistence.Tests.Journals;

/// <summary>What Akka asks of every journal, through its own protocol.</summary>
public sealed class SqliteJournalSpecs : TestKit
{
    private const string Id = "p-1";
    private readonly Scratch _scratch;
    private readonly TestProbe _receiver;
    private readonly IActorRef _journal;

    public SqliteJournalSpecs()
        : this(new Scratch())
    {
    }

    private SqliteJournalSpecs(Scratch scratch)
        : base(ConfigurationFactory.ParseString("akka.persistence.publish-plugin-commands = on\n" + TestSerializer.Hocon)
            .WithFallback(PersistenceConfig.In(scratch.Directory)))
    {
        _scratch = scratch;
        _receiver = CreateTestProbe();
        _journal = Akka.Persistence.Persistence.Instance.Apply(Sys).JournalFor(null);
        Write([Text(1)], [Text(2)], [Text(3)], [Text(4), Text(5)]);
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _scratch.Dispose();
    }

    [Theory]
    [InlineData(1, long.MaxValue, long.MaxValue, new long[] { 1, 2, 3, 4, 5 })]
    [InlineData(0, long.MaxValue, long.MaxValue, new long[] { 1, 2, 3, 4, 5 })]
    [InlineData(3, long.MaxValue, long.MaxValue, new long[] { 3, 4, 5 })]
    [InlineData(1, 3, long.MaxValue, new long[] { 1, 2, 3 })]
    [InlineData(1, long.MaxValue, 3, new long[] { 1, 2, 3 })]
    [InlineData(2, 3, long.MaxValue, new long[] { 2, 3 })]
    [InlineData(2, 5, 2, new long[] { 2, 3 })]
    [InlineData(2, 2, long.MaxValue, new long[] { 2 })]
    [InlineData(2, 4, 1, new long[] { 2 })]
    [InlineData(2, 4, 0, new long[0])]
    [InlineData(3, 2, long.MaxValue, new long[0])]
    public void Replay_gives_the_messages_between_the_bounds_up_to_the_limit(long from, long to, long max, long[] expected)
    {
        _journal.Tell(new ReplayMessages(from, to, max, Id, _receiver.Ref));

        ExpectReplay(expected, highest: 5);
    }

    [Fact]
    public void Replay_of_an_actor_that_never_wrote_gives_nothing()
    {
        _journal.Tell(new ReplayMessages(0, long.MaxValue, long.MaxValue, "nobody", _receiver.Ref));

        ExpectReplay([], highest: 0);
    }

    [Fact]
    public void Deleted_messages_are_not_replayed_and_the_deletion_is_published()
    {
        TestProbe subscriber = CreateTestProbe();
        Sys.EventStream.Subscribe(subscriber.Ref, typeof(DeleteMessagesTo));

        _journal.Tell(new DeleteMessagesTo(Id, 3, _receiver.Ref));

        subscriber.ExpectMsg<DeleteMessagesTo>(message => message.ToSequenceNr == 3);
        _receiver.ExpectMsg<DeleteMessagesSuccess>(message => message.ToSequenceNr == 3);
        _journal.Tell(new ReplayMessages(1, long.MaxValue, long.MaxValue, Id, _receiver.Ref));
        ExpectReplay([4, 5], highest: 5);
    }

    [Fact]
    public async Task Deleting_everything_keeps_the_highest_sequence_number_and_the_hash_chain()
    {
        _journal.Tell(new DeleteMessagesTo(Id, long.MaxValue, _receiver.Ref));
        _receiver.ExpectMsg<DeleteMessagesSuccess>(message => message.ToSequenceNr == long.MaxValue);

        _journal.Tell(new ReplayMessages(0, long.MaxValue, long.MaxValue, Id, _receiver.Ref));

        ExpectReplay([], highest: 5);
        Assert.Empty((await JournalExtension.For(Sys).Store.Verify(CancellationToken.None)).Damages);
    }

    [Fact]
    public void Payloads_of_others_go_through_their_serializers_and_keep_their_writer()
    {
        TestPayload payload = new(_receiver.Ref);
        Write([new Persistent(payload, 6, Id, sender: ActorRefs.NoSender, writerGuid: "writer")]);

        _journal.Tell(new ReplayMessages(6, long.MaxValue, long.MaxValue, Id, _receiver.Ref));

        ReplayedMessage replayed = _receiver.ExpectMsg<ReplayedMessage>();
        Assert.Equal(payload, replayed.Persistent.Payload);
        Assert.Equal("writer", replayed.Persistent.WriterGuid);
        Assert.Equal(6, _receiver.ExpectMsg<RecoverySuccess>().HighestSequenceNr);
    }

    [Fact]
    public void A_payload_that_cannot_be_serialized_is_rejected_alone()
    {
        TestProbe writer = CreateTestProbe();
        AtomicWrite[] writes =
        [
            new(Text(6)),
            new([Text(7), new Persistent(new UnserializablePayload(), 8, Id)]),
            new(Text(9)),
        ];

        _journal.Tell(new WriteMessages(writes, writer.Ref, 1));

        writer.ExpectMsg<WriteMessagesSuccessful>();
        writer.ExpectMsg<WriteMessageSuccess>(message => message.Persistent.SequenceNr == 6);
        writer.ExpectMsg<WriteMessageRejected>(message => message.Persistent.SequenceNr == 7);
        writer.ExpectMsg<WriteMessageRejected>(message => message.Persistent.SequenceNr == 8);
        writer.ExpectMsg<WriteMessageSuccess>(message => message.Persistent.SequenceNr == 9);
        _journal.Tell(new ReplayMessages(6, long.MaxValue, long.MaxValue, Id, _receiver.Ref));
        ExpectReplay([6, 9], highest: 9);
    }

    [Fact]
    public void A_second_message_of_the_same_number_fails_and_stores_nothing_of_its_request()
    {
        TestProbe writer = CreateTestProbe();

        _journal.Tell(new WriteMessages([new AtomicWrite(Text(6)), new AtomicWrite([Text(7), Text(5)])], writer.Ref, 1));

        WriteMessagesFailed failed = writer.ExpectMsg<WriteMessagesFailed>();
        Assert.Contains("second record of the same entity and sequence number", failed.Cause.Message, StringComparison.Ordinal);
        _journal.Tell(new ReplayMessages(5, long.MaxValue, long.MaxValue, Id, _receiver.Ref));
        ExpectReplay([5], highest: 5);
    }

    [Fact]
    public void An_entity_that_ended_starts_from_nothing_and_goes_on_counting()
    {
        Write("task/default/redis", new TaskEvents.Created(1), new TaskEvents.Deleted(1, 0, Scratch.Noon));
        _journal.Tell(new ReplayMessages(1, long.MaxValue, long.MaxValue, "task/default/redis", _receiver.Ref));
        Assert.Equal(2, _receiver.ExpectMsg<RecoverySuccess>().HighestSequenceNr);

        Write("task/default/redis", 3, new TaskEvents.Created(2));
        _journal.Tell(new ReplayMessages(1, long.MaxValue, long.MaxValue, "task/default/redis", _receiver.Ref));

        Recorded replayed = Assert.IsType<Recorded>(_receiver.ExpectMsg<ReplayedMessage>().Persistent.Payload);
        Assert.Equal(new TaskEvents.Created(2), replayed.Event);
        Assert.Equal(3, _receiver.ExpectMsg<RecoverySuccess>().HighestSequenceNr);
    }

    [Fact]
    public void An_unknown_manifest_stops_its_entity_with_cursor_and_manifest_and_no_other()
    {
        Write("task/default/a", new TaskEvents.Created(1));
        Write("task/default/b", new TaskEvents.Created(2));
        _scratch.Tamper("update events set manifest = 'task.teleported:7' where entity = 'task/default/a'");

        _journal.Tell(new ReplayMessages(1, long.MaxValue, long.MaxValue, "task/default/a", _receiver.Ref));
        string reason = _receiver.ExpectMsg<ReplayMessagesFailure>().Cause.Message;
        _journal.Tell(new ReplayMessages(1, long.MaxValue, long.MaxValue, "task/default/b", _receiver.Ref));

        Assert.Contains("entity \"task/default/a\"", reason, StringComparison.Ordinal);
        Assert.Contains("cursor 6 with manifest \"task.teleported:7\"", reason, StringComparison.Ordinal);
        _receiver.ExpectMsg<ReplayedMessage>();
        _receiver.ExpectMsg<RecoverySuccess>();
    }

    [Fact]
    public void A_recorded_event_comes_back_as_it_was()
    {
        Recorded recorded = new(
            "k8s.io",
            new TaskEvents.Exited("", 7, 137, Scratch.Noon.AddTicks(1), "killed"),
            new Caller(Principal.User(uint.MaxValue, 2, 3, "/usr/bin/ctr"), "op", "trace", "lease"),
            Scratch.Noon.AddTicks(7));
        Write([new Persistent(recorded, 6, Id)]);

        _journal.Tell(new ReplayMessages(6, 6, 1, Id, _receiver.Ref));

        Assert.Equal(recorded, _receiver.ExpectMsg<ReplayedMessage>().Persistent.Payload);
    }

    private static Persistent Text(long sequence) => new($"a-{sequence}", sequence, Id, "", false, ActorRefs.NoSender, "writer");

    private void Write(string entity, params DomainEvent[] events) => Write(entity, 1, events);

    private void Write(string entity, long from, params DomainEvent[] events) =>
        Write([.. events.Select((value, index) =>
            new Persistent(new Recorded("default", value, Caller.Kernel, Scratch.Noon), from + index, entity))]);

    private void Write(params Persistent[][] writes)
    {
        TestProbe writer = CreateTestProbe();
        AtomicWrite[] messages = [.. writes.Select(write => new AtomicWrite(write.ToImmutableList<IPersistentRepresentation>()))];
        _journal.Tell(new WriteMessages(messages, writer.Ref, 1));
        writer.ExpectMsg<WriteMessagesSuccessful>();
        foreach (Persistent persistent in writes.SelectMany(write => write))
        {
            writer.ExpectMsg<WriteMessageSuccess>(message => message.Persistent.SequenceNr == persistent.SequenceNr);
        }
    }

    private void ExpectReplay(long[] expected, long highest)
    {
        foreach (long sequence in expected)
        {
            ReplayedMessage replayed = _receiver.ExpectMsg<ReplayedMessage>();
            Assert.Equal((sequence, $"a-{sequence}", Id), (replayed.Persistent.SequenceNr, replayed.Persistent.Payload, replayed.Persistent.PersistenceId));
        }

        Assert.Equal(highest, _receiver.ExpectMsg<RecoverySuccess>().HighestSequenceNr);
    }
}
