// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Storage.Content;

/// <summary>The bytes of all content of this node, in containerd's layout; it knows nothing of namespaces' views or labels.</summary>
/// <remarks>
/// <c>blobs/ALGORITHM/HEX</c> holds verified blobs, <c>ingest/SHA256(backend ref)/</c> what is still being written. Blobs may lie
/// elsewhere (<see cref="IBlobs"/>); what is being written lies here all the same, and goes there when it is whole and verified.
/// Safe for use by many threads; an <see cref="Ingest"/> belongs to one at a time.
/// </remarks>
public sealed class ContentStore
{
    private readonly IBlobs _blobs;
    private readonly string _ingests;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (DateTimeOffset Since, Ingest? Ingest)> _locked = new(StringComparer.Ordinal);

    private ContentStore(string root, IBlobs blobs, TimeProvider time)
    {
        Root = root;
        _blobs = blobs;
        _ingests = Path.Combine(root, "ingest");
        _time = time;
    }

    /// <summary>The directory <c>io.containerd.content.v1.content</c>.</summary>
    public string Root { get; }

    /// <summary>Opens the store in a directory and makes what is missing.</summary>
    /// <param name="root">The directory.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="blobs">Where blobs lie; null for the directory itself.</param>
    public static ContentStore Open(string root, TimeProvider? time = null, IBlobs? blobs = null)
    {
        root = Path.GetFullPath(root);
        ContentStore store = new(root, blobs ?? new BlobFiles(Path.Combine(root, "blobs")), time ?? TimeProvider.System);
        Directory.CreateDirectory(store._ingests);
        using DirectoryHandle handle = DirectoryHandle.Open(store.Root);
        handle.ChangeMode(".", 0x1C0); // 0700, as containerd's
        return store;
    }

    /// <summary>Size of a blob in bytes; null if it is not here.</summary>
    public long? TrySize(Digest digest) => _blobs.TrySize(digest);

    /// <summary>Size of a blob in bytes; a missing one is refused as not found.</summary>
    public long Size(Digest digest) => TrySize(digest) ?? throw Missing(digest);

    /// <summary>Opens a blob for reading from an offset. It stays readable when the blob is deleted meanwhile.</summary>
    /// <exception cref="RefusedException">
    /// The blob is missing, or the offset lies behind its end; of a blob elsewhere the first read may say so instead.
    /// </exception>
    public Stream OpenRead(Digest digest, long offset = 0) => _blobs.OpenRead(digest, offset);

    /// <summary>Removes a blob; false if there was none.</summary>
    public bool Delete(Digest digest) => _blobs.Delete(digest);

    /// <summary>Every blob with its size, in digest order.</summary>
    public IEnumerable<(Digest Digest, long Size)> List() => _blobs.List();

    /// <summary>Opens an ingest, or resumes it from the bytes on disk; the hash of those is computed again.</summary>
    /// <param name="ns">Namespace.</param>
    /// <param name="reference">The client's name of the upload, unique in the namespace.</param>
    /// <param name="total">Announced size, 0 for unknown. Another one than stored makes the ingest anew.</param>
    /// <param name="expected">The digest it is to have, whose algorithm is computed; default for unknown, which is sha256.</param>
    /// <param name="isLeased">True if a lease keeps it; otherwise it expires a day after it was last opened.</param>
    /// <exception cref="RefusedException">Unavailable: the ingest is open already.</exception>
    public Ingest OpenIngest(string ns, string reference, long total = 0, Digest expected = default, bool isLeased = false)
    {
        string backend = BackendRef(ns, reference);
        DateTimeOffset now = _time.GetUtcNow();
        lock (_gate)
        {
            if (_locked.TryGetValue(backend, out (DateTimeOffset Since, Ingest? Ingest) open))
            {
                string held = Math.Max((now - open.Since).TotalSeconds, 0).ToString("0.###", System.Globalization.CultureInfo.InvariantCulture);
                throw new RefusedException(Error.Unavailable($"ref {backend} locked for {held}s (since {IngestFiles.Stamp(open.Since)})"));
            }

            _locked[backend] = (now, null);
        }

        try
        {
            Ingest ingest = new(this, _time, new IngestFiles(IngestPath(backend)), backend, ns, reference, total, expected, isLeased);
            lock (_gate)
            {
                _locked[backend] = (now, ingest);
            }

            return ingest;
        }
        catch
        {
            Release(backend);
            throw;
        }
    }

    /// <summary>Opens an upload that somebody has open for reading while its bytes come; see <see cref="Ingest.OpenArriving"/>.</summary>
    /// <exception cref="RefusedException">Not found: nobody has it open.</exception>
    public ArrivingStream OpenArriving(string ns, string reference)
    {
        Ingest? ingest;
        lock (_gate)
        {
            ingest = _locked.GetValueOrDefault(BackendRef(ns, reference)).Ingest;
        }

        return (ingest ?? throw MissingReference(reference)).OpenArriving();
    }

    /// <summary>What is stored of an ingest; a missing one is refused as not found.</summary>
    public IngestStatus Status(string ns, string reference) =>
        new IngestFiles(IngestPath(BackendRef(ns, reference))).TryRead() ?? throw MissingReference(reference);

    /// <summary>Every ingest on disk. Directories that hold none, such as half-made ones, are passed over.</summary>
    public IEnumerable<IngestStatus> ListIngests() =>
        new DirectoryInfo(_ingests).EnumerateDirectories()
            .Select(static directory => new IngestFiles(directory.FullName).TryRead())
            .OfType<IngestStatus>()
            .OrderBy(static status => status.Namespace, StringComparer.Ordinal)
            .ThenBy(static status => status.Reference, StringComparer.Ordinal);

    /// <summary>Removes an ingest that nobody has open; a missing one is refused as not found.</summary>
    public void Abort(string ns, string reference)
    {
        IngestFiles files = new(IngestPath(BackendRef(ns, reference)));
        if (files.TryRead() is null)
        {
            throw MissingReference(reference);
        }

        files.Remove();
    }

    /// <summary>Removes what a crash left in the ingest directory and cannot be resumed; returns how many.</summary>
    public int Sweep()
    {
        int swept = 0;
        foreach (DirectoryInfo directory in new DirectoryInfo(_ingests).EnumerateDirectories())
        {
            IngestFiles files = new(directory.FullName);
            lock (_gate)
            {
                if (files.TryRead() is null && !_locked.Keys.Any(open => IngestPath(open) == directory.FullName))
                {
                    files.Remove();
                    swept++;
                }
            }
        }

        return swept;
    }

    internal void Release(string backend)
    {
        lock (_gate)
        {
            _locked.Remove(backend);
        }
    }

    /// <summary>Makes a verified, synchronised file the blob; false if the blob was there already.</summary>
    internal bool Publish(string file, Digest digest, long size) => _blobs.Publish(file, digest, size);

    /// <summary>What is said of a blob that is not there.</summary>
    public static RefusedException Missing(Digest digest) => new(Error.NotFound($"content digest {digest}"));

    /// <summary>What is said of an upload whose bytes somebody took away.</summary>
    public static RefusedException Removed(Digest digest) =>
        new(new Error(ErrorKind.DataLoss, $"content {digest}: ingest was removed before commit"));

    private static string BackendRef(string ns, string reference) => $"{ns}/1/{reference}";

    private static RefusedException MissingReference(string reference) => new(Error.NotFound($"reference {reference}"));

    private string IngestPath(string backend) =>
        Path.Combine(_ingests, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(backend))));
}
