// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>Settings of the journal; the keys are documented in <c>hocon/reference/journal.conf</c>.</summary>
public sealed record JournalSettings
{
    /// <summary>HOCON path of the journal plugin.</summary>
    public const string Path = "akka.persistence.journal.containerd";

    /// <summary>The database file.</summary>
    public required string File { get; init; }

    /// <summary>Requests that may wait for the writer.</summary>
    public int QueueLimit { get; init; } = 10_000;

    /// <summary>Events in one commit.</summary>
    public int BatchLimit { get; init; } = 1_000;

    /// <summary>Connections that read at the same time.</summary>
    public int ReadConnections { get; init; } = 8;

    /// <summary>How long a write waits for another process that holds the file's lock.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pages of the write-ahead log after which it is copied into the file.</summary>
    public int CheckpointPages { get; init; } = 4_000;

    /// <summary>Reads the settings below <see cref="Path"/>.</summary>
    public static JournalSettings From(Config config) => new()
    {
        File = config.GetString("file"),
        QueueLimit = config.GetInt("queue-limit"),
        BatchLimit = config.GetInt("batch-limit"),
        ReadConnections = config.GetInt("read-connections"),
        BusyTimeout = config.GetTimeSpan("busy-timeout"),
        CheckpointPages = config.GetInt("checkpoint-pages"),
    };
}
