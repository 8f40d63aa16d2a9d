// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Persistence.Stored;
using Containerd.Actors.Protocol.Errors;
using CsCheck;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Tests.Journals;

public sealed class JournalStoreSpecs : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Fifty_writers_at_once_are_all_stored_in_order_and_the_chain_holds()
    {
        using JournalStore store = _scratch.Open();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(writer => Task.Run(async () =>
        {
            for (int i = 1; i <= 40; i++)
            {
                await store.Append([Scratch.Row($"task/default/{writer}", i)]);
            }
        })));

        List<JournalRecord> records = await Scratch.ReadAll(store);

        Assert.Equal(Enumerable.Range(1, 2000).Select(i => (ulong)i), records.Select(record => record.Cursor));
        Assert.All(
            records.GroupBy(record => record.Entity),
            entity => Assert.Equal(Enumerable.Range(1, 40).Select(i => (long)i), entity.Select(record => record.Sequence)));
        JournalVerification verification = await store.Verify(CancellationToken.None);
        Assert.Equal((2000UL, 2000UL), (verification.Records, verification.LastCursor));
        Assert.Empty(verification.Damages);
    }

    [Fact]
    public async Task Listeners_hear_every_record_in_order_before_its_writer_does()
    {
        using JournalStore store = _scratch.Open();
        Recorder recorder = new();
        store.Listen(recorder);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async writer =>
        {
            for (int i = 1; i <= 10; i++)
            {
                await store.Append([Scratch.Row($"task/default/{writer}", i)]);
                Assert.Contains(recorder.Records, record => record.Entity == $"task/default/{writer}" && record.Sequence == i);
            }
        }));

        Assert.Equal(Enumerable.Range(1, 200).Select(i => (ulong)i), recorder.Records.Select(record => record.Cursor));
    }

    [Fact]
    public async Task A_listener_that_throws_fails_nobody()
    {
        ConcurrentQueue<string> reports = [];
        using JournalStore store = JournalStore.Open(_scratch.Settings, report: reports.Enqueue);
        store.Listen(new Thrower());

        await store.Append([Scratch.Row("task/default/a", 1)]);

        Assert.Equal(1UL, store.LastCursor);
        Assert.Contains("Thrower", Assert.Single(reports), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_that_fails_does_not_fail_its_neighbours_in_the_batch()
    {
        using JournalStore store = _scratch.Open();
        await store.Append([Scratch.Row("task/default/a", 1)]);
        using Gate gate = new();
        store.Listen(gate);
        Task first = store.Append([Scratch.Row("task/default/b", 1)]);
        gate.Entered.WaitOne();

        // While the thread is held at the gate these three gather into one batch.
        Task good = store.Append([Scratch.Row("task/default/c", 1)]);
        Task bad = store.Append([Scratch.Row("task/default/d", 1), Scratch.Row("task/default/a", 1)]);
        Task alsoGood = store.Append([Scratch.Row("task/default/e", 1)]);
        store.Unlisten(gate);
        gate.Open.Set();

        await Task.WhenAll(first, good, alsoGood);
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => bad);
        Assert.Equal(ErrorKind.Conflict, refused.Error.Kind);
        Assert.Equal(
            ["task/default/a", "task/default/b", "task/default/c", "task/default/e"],
            (await Scratch.ReadAll(store)).Select(record => record.Entity));
        Assert.Empty((await store.Verify(CancellationToken.None)).Damages);
    }

    [Fact]
    public async Task A_full_queue_refuses_with_the_name_of_its_key()
    {
        using JournalStore store = JournalStore.Open(_scratch.Settings with { QueueLimit = 2 });
        using Gate gate = new();
        store.Listen(gate);
        Task held = store.Append([Scratch.Row("task/default/a", 1)]);
        gate.Entered.WaitOne();
        Task[] waiting = [store.Append([Scratch.Row("task/default/b", 1)]), store.Append([Scratch.Row("task/default/c", 1)])];

        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => store.Append([Scratch.Row("task/default/d", 1)]));

        Assert.Equal(ErrorKind.ResourceExhausted, refused.Error.Kind);
        Assert.Contains("akka.persistence.journal.containerd.queue-limit", refused.Message, StringComparison.Ordinal);
        store.Unlisten(gate);
        gate.Open.Set();
        await Task.WhenAll([held, .. waiting]);
    }

    [Fact]
    public async Task A_locked_file_fails_the_write_and_the_next_one_succeeds_after_release()
    {
        using JournalStore store = _scratch.Open();
        await store.Append([Scratch.Row("task/default/a", 1)]);
        using SqliteConnection other = new($"Data Source={_scratch.JournalFile};Pooling=False");
        other.Open();
        Execute(other, "begin immediate");

        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => store.Append([Scratch.Row("task/default/a", 2)]));
        Execute(other, "rollback");
        await store.Append([Scratch.Row("task/default/a", 2)]);

        Assert.Equal(ErrorKind.Unavailable, refused.Error.Kind);
        Assert.Contains(_scratch.JournalFile, refused.Message, StringComparison.Ordinal);
        Assert.Contains("busy-timeout", refused.Message, StringComparison.Ordinal);
        Assert.Empty((await store.Verify(CancellationToken.None)).Damages);
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_named()
    {
        await File.WriteAllTextAsync(_scratch.JournalFile, string.Concat(Enumerable.Repeat("not a database ", 1000)));

        RefusedException refused = Assert.Throws<RefusedException>(_scratch.Open);

        Assert.Equal(ErrorKind.DataLoss, refused.Error.Kind);
        Assert.Contains(_scratch.JournalFile, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_tail_of_the_log_does_not_stop_the_start()
    {
        string copy = Path.Combine(_scratch.Directory, "copy.db");
        using (JournalStore store = _scratch.Open())
        {
            await store.Append([Scratch.Row("task/default/a", 1)]);
            await store.Append([Scratch.Row("task/default/a", 2)]);
            File.Copy(_scratch.JournalFile, copy);
            File.Copy(_scratch.JournalFile + "-wal", copy + "-wal");
        }

        using (FileStream log = File.OpenWrite(copy + "-wal"))
        {
            log.Seek(-10, SeekOrigin.End);
            log.Write("xxxxxxxxxx"u8);
        }

        using JournalStore damaged = JournalStore.Open(_scratch.Settings with { File = copy });
        Assert.Equal(1UL, damaged.LastCursor);
        await damaged.Append([Scratch.Row("task/default/a", 2)]);
        Assert.Empty((await damaged.Verify(CancellationToken.None)).Damages);
    }

    [Fact]
    public async Task Live_entities_are_those_that_have_not_ended()
    {
        using JournalStore store = _scratch.Open();
        await store.Append([Scratch.Row("task/default/a", 1)]);
        await store.Append([Scratch.Row("task/default/b", 1), Scratch.Row("task/default/b", 2, new TaskEvents.Deleted(1, 0, Scratch.Noon))]);
        await store.Append([Scratch.Row("container/default/a", 1)]);
        await store.Append([Scratch.Row("task/default/c", 1, new TaskEvents.Deleted(1, 0, Scratch.Noon)), Scratch.Row("task/default/c", 2)]);

        Assert.Equal(["task/default/a", "task/default/c"], store.LiveEntities("task/"));
        Assert.Equal(["container/default/a"], store.LiveEntities("container/"));
        Assert.Equal(3, store.LiveEntities("").Count);
    }

    [Fact]
    public async Task Reading_honours_cursor_limit_and_filter()
    {
        using JournalStore store = _scratch.Open();
        for (int i = 1; i <= 1200; i++)
        {
            _ = store.Append([Scratch.Row($"task/default/{i % 2}", i)]);
        }

        await store.Append([Scratch.Row("container/default/1", 1)]);

        Assert.Equal(1201, (await Scratch.ReadAll(store)).Count);
        Assert.Equal([600UL, 601UL], (await Scratch.ReadAll(store, 599, 2)).Select(record => record.Cursor));
        Assert.Equal(700, (await Scratch.ReadAll(store, 0, 700)).Count);
        Assert.Equal(601, (await Scratch.ReadAll(store, 0, 0, JournalFilter.Container("default", "1"))).Count);
        Assert.Empty(await Scratch.ReadAll(store, 0, 0, JournalFilter.Container("other", "1")));
        Assert.Single(await Scratch.ReadAll(store, 0, 0, new JournalFilter { EntityPrefix = "container/" }));
    }

    [Fact]
    public async Task A_record_that_cannot_be_decoded_is_read_as_such()
    {
        using JournalStore store = _scratch.Open();
        await store.Append([Scratch.Row("task/default/a", 1)]);
        _scratch.Tamper("update events set manifest = 'task.teleported:7'");

        JournalRecord record = Assert.Single(await Scratch.ReadAll(store));

        Assert.Equal("task.teleported:7", store.Manifest(record.Recorded.Event));
        Assert.IsType<UnreadableEvent>(record.Recorded.Event);
        Assert.Contains("unknown manifest", AuditRendering.Detail(record.Recorded.Event), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_written_is_read_after_a_restart_whatever_it_was()
    {
        Gen<(int Entity, int Kind)[]> histories = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 3]).Array[0, 60];
        histories.Sample(
            history =>
            {
                using Scratch scratch = new();
                Dictionary<string, long> sequences = [];
                List<(string Entity, long Sequence, DomainEvent Event)> model = [];
                using (JournalStore store = scratch.Open())
                {
                    List<Task> writes = [];
                    foreach ((int number, int kind) in history)
                    {
                        string entity = $"task/default/{number}";
                        long sequence = sequences[entity] = sequences.GetValueOrDefault(entity) + 1;
                        DomainEvent value = kind switch
                        {
                            0 => new TaskEvents.Created((uint)sequence),
                            1 => new TaskEvents.Exited("é\0", 1, 255, Scratch.Noon.AddTicks(sequence), "x"),
                            2 => new TaskEvents.Paused(),
                            _ => new TaskEvents.Deleted(1, 2, Scratch.Noon),
                        };
                        model.Add((entity, sequence, value));
                        writes.Add(store.Append([Scratch.Row(entity, sequence, value)]));
                    }

                    Task.WaitAll([.. writes]);
                }

                using JournalStore again = scratch.Open();
                List<JournalRecord> records = Scratch.ReadAll(again).GetAwaiter().GetResult();
                Assert.Equal(model, records.Select(record => (record.Entity, record.Sequence, record.Recorded.Event)));
                Assert.Empty(again.Verify(CancellationToken.None).GetAwaiter().GetResult().Damages);
                foreach (string entity in sequences.Keys)
                {
                    List<DomainEvent> living = [];
                    again.Replay(entity, 1, long.MaxValue, long.MaxValue, row => living.Add(row.Decode().Event)).GetAwaiter().GetResult();
                    IEnumerable<DomainEvent> whole = model.Where(entry => entry.Entity == entity).Select(entry => entry.Event);
                    Assert.Equal(whole.Reverse().TakeWhile(value => !value.EndsEntity).Reverse(), living);
                }
            },
            iter: 30,
            threads: 1);
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private sealed class Recorder : IJournalListener
    {
        public ConcurrentQueue<JournalRecord> Records { get; } = [];

        public void OnStored(IReadOnlyList<JournalRecord> records)
        {
            foreach (JournalRecord record in records)
            {
                Records.Enqueue(record);
            }
        }
    }

    private sealed class Thrower : IJournalListener
    {
        public void OnStored(IReadOnlyList<JournalRecord> records) => throw new InvalidOperationException("no");
    }

    private sealed class Gate : IJournalListener, IDisposable
    {
        public ManualResetEvent Entered { get; } = new(false);

        public ManualResetEvent Open { get; } = new(false);

        public void OnStored(IReadOnlyList<JournalRecord> records)
        {
            Entered.Set();
            Open.WaitOne(TimeSpan.FromSeconds(30));
        }

        public void Dispose()
        {
            Open.Set();
            Entered.Dispose();
        }
    }
}
