// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Storage.Content;

/// <summary>What is known of an upload that is not committed.</summary>
/// <param name="Namespace">Namespace.</param>
/// <param name="Reference">The client's name for it.</param>
/// <param name="Offset">Bytes stored.</param>
/// <param name="Total">Announced size, 0 for unknown.</param>
/// <param name="StartedAt">When it was first opened.</param>
/// <param name="UpdatedAt">When bytes were last written.</param>
/// <param name="ExpiresAt">From then on only a lease keeps it.</param>
/// <param name="Expected">The digest it is to have; default for unknown.</param>
public sealed record IngestStatus(
    string Namespace,
    string Reference,
    long Offset,
    long Total,
    DateTimeOffset StartedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset ExpiresAt,
    Digest Expected);

/// <summary>The files of one ingest: <c>data</c>, <c>ref</c>, <c>startedat</c>, <c>updatedat</c> and, if announced, <c>total</c>.</summary>
/// <remarks>
/// That is containerd's layout. Beside them lie two that containerd keeps in its database: <c>expireat</c>, a moment or
/// <c>leased</c>, and <c>expected</c>, a digest. An ingest without them, such as one of containerd's, expires a day after its start.
/// </remarks>
internal sealed class IngestFiles(string directory)
{
    private const string Leased = "leased";

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
            DateTimeOffset started = ReadTime("startedat", written);
            return new IngestStatus(
                parts[0],
                parts[2],
                data.Length,
                long.TryParse(total, NumberStyles.None, CultureInfo.InvariantCulture, out long announced) ? announced : 0,
                started,
                ReadTime("updatedat", written),
                ReadOrEmpty("expireat") == Leased ? DateTimeOffset.MinValue : ReadTime("expireat", started + Mark.IngestLife),
                Digest.TryParse(ReadOrEmpty("expected"), out Digest expected) ? expected : default);
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

    /// <summary>Until when it is kept; null while only a lease keeps it.</summary>
    public void WriteExpiry(DateTimeOffset? time) =>
        File.WriteAllText(Path.Combine(directory, "expireat"), time is { } moment ? Stamp(moment) : Leased);

    public void WriteExpected(Digest expected) => File.WriteAllText(Path.Combine(directory, "expected"), expected.ToString());

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
