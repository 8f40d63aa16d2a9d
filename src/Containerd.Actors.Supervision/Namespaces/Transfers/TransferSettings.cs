// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>Bounds of pushes, imports and exports (<c>hocon/reference/transfers.conf</c>).</summary>
/// <param name="ChildrenMax">Transfers of one namespace at a time.</param>
/// <param name="UploadsMax">Blobs that one push sends at a time.</param>
/// <param name="ArchiveEntriesMax">Most entries of an archive that is imported.</param>
/// <param name="ArchiveBytesMax">Most bytes of an archive that is imported, without its compression.</param>
public sealed record TransferSettings(int ChildrenMax, int UploadsMax, long ArchiveEntriesMax, long ArchiveBytesMax)
{
    /// <summary>Path of the keys.</summary>
    public const string Path = "containerd.transfers";

    /// <summary>Reads and checks all keys.</summary>
    /// <exception cref="ConfigurationException">A key is missing or out of its range.</exception>
    public static TransferSettings From(Config config)
    {
        Config keys = config.GetConfig(Path) ?? throw new ConfigurationException($"{Path} is missing");
        return new TransferSettings(
            (int)Between(keys.GetInt("children-max"), 1, 10_000, "children-max"),
            (int)Between(keys.GetInt("uploads-max"), 1, 64, "uploads-max"),
            Between(keys.GetLong("archive-entries-max"), 16, 8_000_000, "archive-entries-max"),
            Between(keys.GetByteSize("archive-bytes-max") ?? 0, 1 << 20, 1L << 50, "archive-bytes-max"));
    }

    private static long Between(long value, long min, long max, string key) => value >= min && value <= max
        ? value
        : throw new ConfigurationException($"{Path}.{key} must lie between {min} and {max}");
}
