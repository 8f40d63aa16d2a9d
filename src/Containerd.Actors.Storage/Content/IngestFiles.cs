// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Storage.Content;

/// <summary>What is known of an upload that is not committed.</summary>
/// <param name="Namespace">Namespace.</param>
/// <param name="Reference">The client's name for it.</param>
/// <param name="Offset">Bytes stored.</param>
/// <param name="Total">Announced size, 0 for unknown.</param>
/// <param name="StartedAt">When it was first opened.</param>
/// <param name="UpdatedAt">When bytes were last written.</param>
public sealed record IngestStatus(
    string Namespace,
    string Reference,
    long Offset,
    long Total,
    DateTimeOffset StartedAt,
    DateTimeOffset UpdatedAt);

/// <summary>The files of one ingest: <c>data</c>, <c>ref</c>, <c>startedat</c>, <c>updatedat</c> and, if announced, <c>total</c>.</summary>
internal sealed class IngestFiles(string directory)
{
    public string DataPath { get; } = Path.Combine(directory, "data");

    public static string Stamp(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'00Z'", CultureInfo.InvariantCulture);

    /// <summary>The status on disk; null if the directory holds no complete ingest.</summary>
    public IngestStatus? TryRead()
    {
        try
        {
            // containerd's backend refs are "namespace/sequence/reference"; a reference may hold slashes of its own.
            string[] parts = File.ReadAllText(Path.Combine(directory, "ref")).Split('/', 3);
            FileInfo data = new(DataPath);
            if (parts.Length != 3 || !data.Exists)
            {
                return null;
            }

            DateTimeOffset written = data.LastWriteTimeUtc;
            string total = ReadOrEmpty("total");
            return new IngestStatus(
                parts[0],
                parts[2],
                data.Length,
                long.TryParse(total, NumberStyles.None, CultureInfo.InvariantCulture, out long announced) ? announced : 0,
                ReadTime("startedat", written),
                ReadTime("updatedat", written));
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Makes the directory and its files; <c>ref</c> comes last, so that a half-made ingest is not taken for one.</summary>
    public void Create(string backend, long total, DateTimeOffset now)
    {
        Remove();
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "startedat"), Stamp(now));
        File.WriteAllText(Path.Combine(directory, "updatedat"), Stamp(now));
        if (total > 0)
        {
            WriteTotal(total);
        }

        using (File.Create(DataPath))
        {
        }

        File.WriteAllText(Path.Combine(directory, "ref"), backend);
    }

    public void WriteTotal(long total) =>
        File.WriteAllText(Path.Combine(directory, "total"), total.ToString(CultureInfo.InvariantCulture));

    public void WriteUpdatedAt(DateTimeOffset time) => File.WriteAllText(Path.Combine(directory, "updatedat"), Stamp(time));

    public void Remove()
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private string ReadOrEmpty(string name)
    {
        string path = Path.Combine(directory, name);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : "";
    }

    private DateTimeOffset ReadTime(string name, DateTimeOffset otherwise) =>
        DateTimeOffset.TryParse(
            ReadOrEmpty(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time
            : otherwise;
}
