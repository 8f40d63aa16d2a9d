// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Storage.Content;

/// <summary>Blobs as files <c>ALGORITHM/HEX</c> of a directory, as containerd has them.</summary>
internal sealed class BlobFiles : IBlobs
{
    private readonly string _directory;

    public BlobFiles(string directory)
    {
        _directory = directory;
        Directory.CreateDirectory(Path.Combine(directory, "sha256"));
    }

    public long? TrySize(Digest digest)
    {
        FileInfo file = new(PathOf(digest));
        return file.Exists ? file.Length : null;
    }

    public Stream OpenRead(Digest digest, long offset)
    {
        try
        {
            FileStream stream = new(
                PathOf(digest),
                new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
            if (offset > stream.Length)
            {
                long length = stream.Length;
                stream.Dispose();
                throw new RefusedException(new Error(ErrorKind.OutOfRange, $"read past object length {length} bytes"));
            }

            stream.Position = Math.Max(offset, 0);
            return stream;
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw ContentStore.Missing(digest);
        }
    }

    public bool Delete(Digest digest)
    {
        string path = PathOf(digest);
        if (!File.Exists(path))
        {
            return false;
        }

        File.Delete(path);
        return true;
    }

    /// <summary>Files that are no blobs are passed over.</summary>
    public IEnumerable<(Digest Digest, long Size)> List()
    {
        SortedDictionary<Digest, long> found = [];
        foreach (DirectoryInfo algorithm in new DirectoryInfo(_directory).EnumerateDirectories())
        {
            foreach (FileInfo file in algorithm.EnumerateFiles())
            {
                if (Digest.TryParse($"{algorithm.Name}:{file.Name}", out Digest digest))
                {
                    found[digest] = file.Length;
                }
            }
        }

        return found.Select(static pair => (pair.Key, pair.Value));
    }

    public bool Publish(string file, Digest digest, long size)
    {
        string directory = Path.Combine(_directory, digest.Algorithm);
        string target = PathOf(digest);
        Directory.CreateDirectory(directory);
        if (File.Exists(target))
        {
            return false;
        }

        try
        {
            using (DirectoryHandle ingest = DirectoryHandle.Open(Path.GetDirectoryName(file)!))
            {
                ingest.ChangeMode(Path.GetFileName(file), 0x124); // 0444
            }

            // A rename would replace the blob of a concurrent duplicate; both hold the same bytes, so that does no harm.
            File.Move(file, target, overwrite: true);
        }
        catch (Exception failure) when (failure is FileNotFoundException or LinuxException { Error.Name: "ENOENT" })
        {
            throw ContentStore.Removed(digest);
        }

        using DirectoryHandle handle = DirectoryHandle.Open(directory);
        handle.Synchronize();
        return true;
    }

    /// <summary>Where the file of a blob lies, whether or not it exists.</summary>
    public string PathOf(Digest digest) => Path.Combine(_directory, digest.Algorithm, digest.Hex);
}
