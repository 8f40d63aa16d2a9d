// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using Akka.Configuration;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Persistence.Savepoints;

namespace Containerd.Actors.Persistence;

/// <summary>The HOCON of this project: <c>hocon/reference/journal.conf</c>, embedded.</summary>
public static class PersistenceConfig
{
    /// <summary>Every key with its default. Akka makes the plugins by their names, hence the dependencies.</summary>
    public static Config Default
    {
        [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(SqliteJournal))]
        [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(SqliteSnapshotStore))]
        get
        {
            using Stream stream = typeof(PersistenceConfig).Assembly.GetManifestResourceStream("journal.conf")
                ?? throw new InvalidOperationException("journal.conf is not embedded");
            using StreamReader reader = new(stream);
            return ConfigurationFactory.ParseString(reader.ReadToEnd());
        }
    }

    /// <summary>The defaults with both files in a directory, which must exist.</summary>
    public static Config In(string directory) => In(directory, Default);

    /// <summary>A configuration that has every key of <see cref="Default"/>, with both files in a directory, which must exist.</summary>
    public static Config In(string directory, Config config) => ConfigurationFactory.ParseString($$"""
        {{JournalSettings.Path}}.file = "{{Quoted(Path.Combine(directory, "journal.db"))}}"
        {{SqliteSnapshotStore.Path}}.file = "{{Quoted(Path.Combine(directory, "savepoints.db"))}}"
        """).WithFallback(config).WithFallback(Default);

    private static string Quoted(string path) =>
        path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
