// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Storage.Content;

/// <summary>How a commit ended.</summary>
/// <param name="Digest">Name of the blob.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Existed">True if the blob was there already; the ingest was dropped then.</param>
public sealed record CommittedBlob(Digest Digest, long Size, bool Existed);

/// <summary>An open upload: holds the lock of its reference until disposed. One thread at a time.</summary>
/// <remarks>
/// <code>
/// open/resume --> Write* --Commit--> blob
///                   |  \--Truncate--> (offset 0) --> Write*
///                   |--Abort--> (gone)
///                   \--Dispose--> (kept on disk, resumable)
/// </code>
/// A refused commit leaves the ingest as it was, as containerd does.
/// </remarks>
public sealed class Ingest : IDisposable
{
    private readonly ContentStore _store;
    private readonly TimeProvider _time;
    private readonly IngestFiles _files;
    private readonly string _backend;
    private readonly FileStream _file;
    private IncrementalHash _hash;
    private volatile Arrival _arrival = new();
    private bool _closed;

    internal Ingest(
        ContentStore store,
        TimeProvider time,
        IngestFiles files,
        string backend,
        string ns,
        string reference,
        long total,
        Digest expected,
        bool isLeased)
    {
        (_store, _time, _files, _backend) = (store, time, files, backend);
        Algorithm = expected.IsEmpty ? "sha256" : expected.Algorithm;
        IngestStatus? stored = files.TryRead();
        if (stored is null || (total > 0 && stored.Total > 0 && stored.Total != total))
        {
            DateTimeOffset now = time.GetUtcNow();
            files.Create(backend, total, now);
            stored = new IngestStatus(ns, reference, 0, total, now, now, now, default);
        }
        else if (total > 0 && stored.Total == 0)
        {
            files.WriteTotal(total);
        }

        files.WriteExpiry(isLeased ? null : time.GetUtcNow() + Mark.IngestLife);
        if (!expected.IsEmpty && expected != stored.Expected)
        {
            files.WriteExpected(expected);
        }

        Namespace = ns;
        Reference = reference;
        Total = Math.Max(total, stored.Total);
        StartedAt = stored.StartedAt;
        UpdatedAt = stored.UpdatedAt;
        _hash = Digest.CreateHash(Algorithm);
        _file = new FileStream(
            files.DataPath, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 });
        try
        {
            Rehash();
            _arrival.Advance(Offset);
        }
        catch
        {
            _file.Dispose();
            _hash.Dispose();
            throw;
        }
    }

    /// <summary>Namespace.</summary>
    public string Namespace { get; }

    /// <summary>The client's name for it.</summary>
    public string Reference { get; }

    /// <summary>Algorithm of <see cref="CurrentDigest"/>.</summary>
    public string Algorithm { get; private set; }

    /// <summary>Bytes stored.</summary>
    public long Offset { get; private set; }

    /// <summary>Announced size, 0 for unknown.</summary>
    public long Total { get; private set; }

    /// <summary>When it was first opened.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>When bytes were last written.</summary>
    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>Digest of the bytes so far.</summary>
    public Digest CurrentDigest => Digest.FromHash(Algorithm, _hash.GetCurrentHash());

    /// <summary>Appends bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        _file.Write(bytes);
        _hash.AppendData(bytes);
        Offset += bytes.Length;
        _arrival.Advance(Offset);
        UpdatedAt = _time.GetUtcNow();
    }

    /// <summary>
    /// Opens its bytes for reading while they come. The stream ends when they are committed, so that whoever has read it to its end has
    /// read a verified blob; when the upload is closed otherwise, or begun anew, reading fails. May be called from any thread.
    /// </summary>
    /// <exception cref="RefusedException">Not found: it was closed meanwhile.</exception>
    public ArrivingStream OpenArriving()
    {
        Arrival arrival = _arrival;
        try
        {
            return new ArrivingStream(
                File.OpenHandle(_files.DataPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete), arrival, $"ref {_backend}");
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RefusedException(Error.NotFound($"ref {_backend}: upload"), gone);
        }
    }

    /// <summary>Drops all bytes; any other length than 0 is refused as out of range.</summary>
    public void Truncate(long length)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (length != 0)
        {
            throw new RefusedException(new Error(ErrorKind.OutOfRange, $"cannot truncate ref {Reference} to {length}"));
        }

        if (Offset > 0)
        {
            _arrival.Break();
            _arrival = new Arrival();
        }

        _file.SetLength(0);
        _file.Position = 0;
        _hash.GetHashAndReset();
        Offset = 0;
        UpdatedAt = _time.GetUtcNow();
    }

    /// <summary>Announces the size after opening.</summary>
    public void Announce(long total)
    {
        Total = total;
        _files.WriteTotal(total);
    }

    /// <summary>
    /// Checks size and digest, makes the bytes durable and then visible as a blob, and closes the ingest.
    /// If the blob exists already the ingest is dropped and the result says so.
    /// </summary>
    /// <param name="size">The size the bytes must have; 0 for any.</param>
    /// <param name="expected">The digest they must have; default for any.</param>
    /// <exception cref="RefusedException">Failed precondition: size or digest differ; the ingest stays open and as it is.</exception>
    public CommittedBlob Commit(long size = 0, Digest expected = default)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (size > 0 && size != Offset)
        {
            throw new RefusedException(Error.FailedPrecondition($"\"{_backend}\" failed size validation: {Offset} != {size}"));
        }

        if (!expected.IsEmpty && expected.Algorithm != Algorithm)
        {
            Algorithm = expected.Algorithm;
            _hash.Dispose();
            _hash = Digest.CreateHash(Algorithm);
            Rehash();
        }

        Digest digest = CurrentDigest;
        if (!expected.IsEmpty && expected != digest)
        {
            throw new RefusedException(Error.FailedPrecondition($"unexpected commit digest {digest}, expected {expected}"));
        }

        bool existed = _store.TrySize(digest) is not null;
        if (!existed)
        {
            _file.Flush(flushToDisk: true);
            existed = !_store.Publish(_files.DataPath, digest, Offset);
        }

        _arrival.Complete();
        CommittedBlob committed = new(digest, Offset, existed);
        Close(static ingest => ingest._files.Remove());
        return committed;
    }

    /// <summary>Removes the ingest from disk and closes it.</summary>
    public void Abort() => Close(static ingest => ingest._files.Remove());

    /// <summary>Closes it; what was written stays on disk and can be resumed.</summary>
    public void Dispose() => Close(static ingest => ingest._files.WriteUpdatedAt(ingest.UpdatedAt));

    private void Close(Action<Ingest> last)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _arrival.Break();
        try
        {
            _file.Dispose();
            _hash.Dispose();
            last(this);
        }
        finally
        {
            _store.Release(_backend);
        }
    }

    private void Rehash()
    {
        byte[] buffer = ContentBuffers.Rent(1 << 18);
        try
        {
            _file.Position = 0;
            Offset = 0;
            int read;
            while ((read = _file.Read(buffer)) > 0)
            {
                _hash.AppendData(buffer.AsSpan(0, read));
                Offset += read;
            }
        }
        finally
        {
            ContentBuffers.Return(buffer);
        }
    }
}
