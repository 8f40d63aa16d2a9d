// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Integration.Tests;

/// <summary>What becomes of a journal that somebody changed behind the daemon's back. It stays changed, so it has a machine of its own.</summary>
public sealed class TamperSpecs(Machine machine) : IClassFixture<Machine>
{
    [SkippableFact]
    public async Task A_tampered_journal_is_found_out_by_its_cursor()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await machine.StopDaemonAsync();
        string file = Path.Combine(machine.Root, "journal", "journal.db");
        long cursor;
        await using (SqliteConnection connection = new($"Data Source={file};Pooling=False"))
        {
            await connection.OpenAsync();
            await using SqliteCommand pick = connection.CreateCommand();
            pick.CommandText = "select max(cursor) - 2 from events";
            cursor = (long)(await pick.ExecuteScalarAsync())!;
            await Execute(connection, $"update events set operation = 'forged' where cursor = {cursor}");
        }

        await machine.StartDaemonAsync();
        Ran found = await machine.CactlAsync("audit", "verify");
        Assert.Equal(1, found.Status);
        Assert.Contains($"{cursor}", found.All, StringComparison.Ordinal);

        static async Task Execute(SqliteConnection connection, string sql)
        {
            await using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The text is the test's own.
            command.CommandText = sql;
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync();
        }
    }
}
