// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Protocol.Callers;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Tests;

/// <summary>A directory of its own for one test, with the files of a journal in it.</summary>
internal sealed class Scratch : IDisposable
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("journal-").FullName;

    public string JournalFile => Path.Combine(Directory, "journal.db");

    public JournalSettings Settings => new() { File = JournalFile, BusyTimeout = TimeSpan.FromMilliseconds(200) };

    public JournalStore Open() => JournalStore.Open(Settings);

    public static JournalRow Row(string entity, long sequence, DomainEvent value) =>
        JournalRow.From(entity, sequence, new Recorded("default", value, new Caller(Principal.User(1, 2, 3, "/bin/ctr"), "op", "trace", "lease"), Noon));

    public static JournalRow Row(string entity, long sequence) => Row(entity, sequence, new TaskEvents.Started("", (uint)sequence));

    /// <summary>Runs statements on the closed or open file, as somebody who tampers with it would.</summary>
    public void Tamper(string sql)
    {
        using SqliteConnection connection = new($"Data Source={JournalFile};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public static async Task<List<JournalRecord>> ReadAll(JournalStore store, ulong since = 0, long limit = 0, JournalFilter? filter = null)
    {
        List<JournalRecord> records = [];
        await foreach (JournalRecord record in store.Read(since, limit, filter ?? JournalFilter.All, CancellationToken.None))
        {
            records.Add(record);
        }

        return records;
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
