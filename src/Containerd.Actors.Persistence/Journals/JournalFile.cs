// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Protocol.Errors;
using Microsoft.Data.Sqlite;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>Opens database files and puts SQLite's failures into words.</summary>
internal static class JournalFile
{
    // sqlite.org/rescode.html
    private const int Busy = 5;
    private const int Locked = 6;
    private const int ReadOnly = 8;
    private const int IoError = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int Constraint = 19;
    private const int NotADatabase = 26;

    /// <summary>True when another connection holds the lock, so that trying the same again at once is in vain.</summary>
    public static bool IsLocked(SqliteException failure) => failure.SqliteErrorCode is Busy or Locked;

    /// <summary>True when the file's content is damaged, as opposed to a failure to read or write it.</summary>
    public static bool IsCorrupt(SqliteException failure) => failure.SqliteErrorCode is Corrupt or NotADatabase;

    /// <summary>A connection that writes; the file is made if it is missing.</summary>
    public static SqliteConnection OpenWriter(string file, TimeSpan busyTimeout, int checkpointPages) =>
        Open(file, SqliteOpenMode.ReadWriteCreate, busyTimeout, string.Create(
            CultureInfo.InvariantCulture,
            $"pragma journal_mode=wal; pragma synchronous=full; pragma wal_autocheckpoint={checkpointPages}; pragma cache_size=-8000;"));

    /// <summary>A connection that reads while others write.</summary>
    public static SqliteConnection OpenReader(string file) =>
        Open(file, SqliteOpenMode.ReadWrite, TimeSpan.FromSeconds(5), "pragma query_only=on; pragma cache_size=-2000;");

    private static SqliteConnection Open(string file, SqliteOpenMode mode, TimeSpan busyTimeout, string pragmas)
    {
        SQLitePCL.Batteries_V2.Init();
        SqliteConnectionStringBuilder builder = new()
        {
            DataSource = file,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = Math.Max(1, (int)Math.Ceiling(busyTimeout.TotalSeconds)),
        };
        SqliteConnection connection = new(builder.ToString());
        try
        {
            connection.Open();
            string busy = string.Create(CultureInfo.InvariantCulture, $"pragma busy_timeout={(int)busyTimeout.TotalMilliseconds};");
            Execute(connection, busy + pragmas);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs statements that give no rows.</summary>
    public static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The failure as a refusal that names the file and, where there is one, the next step.</summary>
    public static Error Explain(string what, string file, SqliteException failure, string busyTimeoutKey) => failure.SqliteErrorCode switch
    {
        Busy or Locked => Error.Unavailable($"{what} \"{file}\" is locked by another process for longer than {busyTimeoutKey}"),
        Full => new Error(ErrorKind.ResourceExhausted, $"{what} \"{file}\" cannot grow: no space left on device"),
        ReadOnly => Error.FailedPrecondition($"{what} \"{file}\" is read-only"),
        IoError => Error.Unavailable($"{what} \"{file}\" cannot be read or written: i/o error {failure.SqliteExtendedErrorCode}"),
        CannotOpen => Error.Unavailable($"{what} \"{file}\" cannot be opened"),
        Constraint => new Error(ErrorKind.Conflict, $"{what} \"{file}\" refuses a second record of the same entity and sequence number"),
        Corrupt or NotADatabase => new Error(
            ErrorKind.DataLoss, $"{what} \"{file}\" is damaged: move it away or restore it from a backup, then start again"),
        _ => Error.Unknown($"{what} \"{file}\" failed: {failure.Message}"),
    };
}
