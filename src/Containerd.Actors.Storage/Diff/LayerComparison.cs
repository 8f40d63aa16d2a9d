// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Files;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Diff;

/// <summary>Walks two trees side by side in byte order and writes what changed, with containerd's rules.</summary>
/// <remarks>
/// Times are cut to seconds, sockets left out, removals written with the time of the epoch. A directory's own times are no change.
/// Parents of a change are written before it, so that they get their mode and owner wherever the layer is extracted.
/// </remarks>
internal sealed class LayerComparison(Stream target, DateTimeOffset? epoch, CancellationToken cancellation)
{
    private readonly TarWriter _writer = new(target);
    private readonly Dictionary<(ulong, ulong), string> _written = [];
    private readonly Dictionary<(ulong, ulong), List<string>> _unchanged = [];
    private readonly List<(DirectoryHandle Parent, string Name, string Path)> _pending = [];
    private readonly byte[] _buffer = new byte[1 << 18];
    private readonly byte[] _other = new byte[1 << 18];
    private bool _overlay;

    public void Write(DiffSource source)
    {
        _overlay = source.IsOverlayUpper;
        using DirectoryHandle? lower = source.Lower is null || _overlay ? null : DirectoryHandle.Open(source.Lower);
        using DirectoryHandle upper = DirectoryHandle.Open(source.Upper);
        Compare(lower, upper, "");
        _writer.Finish();
    }

    private void Compare(DirectoryHandle? lower, DirectoryHandle upper, string path)
    {
        cancellation.ThrowIfCancellationRequested();
        IReadOnlyList<string> names = upper.List();
        if (lower is not null)
        {
            HashSet<string> present = [.. names];
            foreach (string name in lower.List().Where(name => !present.Contains(name)))
            {
                WriteRemoval(path, name);
            }
        }

        foreach (string name in names)
        {
            if (upper.TryStatus(name) is { } status && status.Kind != FileKind.Socket)
            {
                CompareOne(lower, upper, path, name, status);
            }
        }
    }

    private void CompareOne(DirectoryHandle? lower, DirectoryHandle upper, string path, string name, FileStatus status)
    {
        string child = path.Length == 0 ? name : $"{path}/{name}";
        if (_overlay && status.IsWhiteout)
        {
            WriteRemoval(path, name);
            return;
        }

        FileStatus? old = lower?.TryStatus(name);
        bool changed = old is not { } before || !Same(lower!, before, upper, status, name);
        if (status.Kind != FileKind.Directory)
        {
            if (changed)
            {
                WritePending();
                WriteEntry(upper, name, child, status);
            }
            else if (status.Links > 1)
            {
                WriteUnchangedLink(child, status);
            }

            return;
        }

        bool merges = old is { Kind: FileKind.Directory };
        _pending.Add((upper, name, child));
        if (changed)
        {
            WritePending();
        }

        using (DirectoryHandle inner = upper.OpenChild(name))
        using (DirectoryHandle? innerLower = merges ? lower!.OpenChild(name) : null)
        {
            if (_overlay && IsOpaque(inner))
            {
                WriteWhiteout($"{child}/{LayerPaths.Opaque}");
            }

            Compare(innerLower, inner, child);
        }

        _pending.Remove((upper, name, child));
    }

    private void WritePending()
    {
        foreach ((DirectoryHandle parent, string name, string path) in _pending)
        {
            WriteEntry(parent, name, path, parent.Status(name));
        }

        _pending.Clear();
    }

    private void WriteRemoval(string path, string name)
    {
        WritePending();
        WriteWhiteout((path.Length == 0 ? "" : path + "/") + LayerPaths.Whiteout + name);
    }

    private void WriteWhiteout(string path) => _writer.WriteHeader(new TarEntry
    {
        Name = path,
        Kind = TarKind.Regular,
        ModifiedAt = new FileTime(epoch?.ToUnixTimeSeconds() ?? 0, 0),
    });

    // A name that did not change still belongs to the layer if another name of its inode does, or the link would be lost.
    private void WriteUnchangedLink(string path, FileStatus status)
    {
        if (_written.TryGetValue((status.Device, status.Inode), out string? first))
        {
            WritePending();
            WriteLink(path, first, status);
        }
        else
        {
            if (!_unchanged.TryGetValue((status.Device, status.Inode), out List<string>? names))
            {
                _unchanged[(status.Device, status.Inode)] = names = [];
            }

            names.Add(path);
        }
    }

    private void WriteLink(string path, string first, FileStatus status) => _writer.WriteHeader(new TarEntry
    {
        Name = path,
        Kind = TarKind.HardLink,
        LinkName = first,
        Mode = status.Mode,
        UserId = status.UserId,
        GroupId = status.GroupId,
        ModifiedAt = Time(status),
    });

    private void WriteEntry(DirectoryHandle parent, string name, string path, FileStatus status)
    {
        if (status.Kind != FileKind.Directory && status.Links > 1)
        {
            if (_written.TryGetValue((status.Device, status.Inode), out string? first))
            {
                WriteLink(path, first, status);
                return;
            }

            _written[(status.Device, status.Inode)] = path;
        }

        bool regular = status.Kind == FileKind.Regular;
        _writer.WriteHeader(new TarEntry
        {
            Name = status.Kind == FileKind.Directory ? path + "/" : path,
            Kind = Kind(status.Kind),
            LinkName = status.Kind == FileKind.SymbolicLink ? parent.ReadLink(name) : "",
            Size = regular ? status.Size : 0,
            Mode = status.Mode,
            UserId = status.UserId,
            GroupId = status.GroupId,
            ModifiedAt = Time(status),
            DeviceMajor = status.DeviceMajor,
            DeviceMinor = status.DeviceMinor,
            Attributes = Attributes(parent, name),
        });
        if (regular)
        {
            WriteContent(parent, name, path, status.Size);
        }

        if (_unchanged.Remove((status.Device, status.Inode), out List<string>? others))
        {
            others.ForEach(other => WriteLink(other, path, status));
        }
    }

    private void WriteContent(DirectoryHandle parent, string name, string path, long size)
    {
        using FileHandle file = parent.OpenFile(name);
        long offset = 0;
        while (offset < size)
        {
            int read = file.ReadAt(offset, _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, size - offset)));
            if (read == 0)
            {
                throw new RefusedException(Error.Unavailable($"\"{path}\" became shorter while it was read"));
            }

            _writer.Write(_buffer.AsSpan(0, read));
            offset += read;
        }

        _writer.Pad(size);
    }

    private bool Same(DirectoryHandle lower, FileStatus old, DirectoryHandle upper, FileStatus status, string name)
    {
        if (old.Kind != status.Kind || old.Mode != status.Mode || old.UserId != status.UserId || old.GroupId != status.GroupId
            || old.DeviceMajor != status.DeviceMajor || old.DeviceMinor != status.DeviceMinor || !SameAttributes(lower, upper, name))
        {
            return false;
        }

        if (status.Kind == FileKind.Directory || (old.Inode == status.Inode && old.Device == status.Device))
        {
            return true;
        }

        if (old.Size != status.Size || old.ModifiedAt.Seconds != status.ModifiedAt.Seconds)
        {
            return false;
        }

        // A time without a fraction may have been cut off by an archive, and says less than the content then.
        bool cut = old.ModifiedAt.Nanoseconds == 0 || status.ModifiedAt.Nanoseconds == 0;
        return !cut ? old.ModifiedAt.Nanoseconds == status.ModifiedAt.Nanoseconds
            : status.Kind switch
            {
                FileKind.SymbolicLink => lower.ReadLink(name) == upper.ReadLink(name),
                FileKind.Regular => SameContent(lower, upper, name, status.Size),
                _ => true,
            };
    }

    private bool SameContent(DirectoryHandle lower, DirectoryHandle upper, string name, long size)
    {
        using FileHandle old = lower.OpenFile(name);
        using FileHandle file = upper.OpenFile(name);
        for (long offset = 0; offset < size;)
        {
            int read = file.ReadAt(offset, _buffer);
            int compared = old.ReadAt(offset, _other.AsSpan(0, Math.Max(read, 1)));
            if (read == 0 || compared == 0 || !_buffer.AsSpan(0, Math.Min(read, compared)).SequenceEqual(_other.AsSpan(0, Math.Min(read, compared))))
            {
                return false;
            }

            offset += Math.Min(read, compared);
        }

        return true;
    }

    private static bool SameAttributes(DirectoryHandle lower, DirectoryHandle upper, string name)
    {
        List<KeyValuePair<string, byte[]>> left = Attributes(lower, name);
        List<KeyValuePair<string, byte[]>> right = Attributes(upper, name);
        return left.Count == right.Count
            && left.Zip(right).All(static pair => pair.First.Key == pair.Second.Key && pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value));
    }

    private static List<KeyValuePair<string, byte[]>> Attributes(DirectoryHandle directory, string name)
    {
        List<KeyValuePair<string, byte[]>> attributes = [];
        foreach (string key in directory.ListAttributes(name))
        {
            bool overlays = key.StartsWith("trusted.overlay.", StringComparison.Ordinal) || key.StartsWith("user.overlay.", StringComparison.Ordinal);
            if (!overlays && directory.TryAttribute(name, key) is { } value)
            {
                attributes.Add(new(key, value));
            }
        }

        return attributes;
    }

    private static bool IsOpaque(DirectoryHandle directory) =>
        directory.TryAttribute(".", "trusted.overlay.opaque") is [(byte)'y'] || directory.TryAttribute(".", "user.overlay.opaque") is [(byte)'y'];

    private FileTime Time(FileStatus status) =>
        new(Math.Min(status.ModifiedAt.Seconds, epoch?.ToUnixTimeSeconds() ?? long.MaxValue), 0);

    private static TarKind Kind(FileKind kind) => kind switch
    {
        FileKind.Regular => TarKind.Regular,
        FileKind.Directory => TarKind.Directory,
        FileKind.SymbolicLink => TarKind.SymbolicLink,
        FileKind.CharacterDevice => TarKind.CharacterDevice,
        FileKind.BlockDevice => TarKind.BlockDevice,
        _ => TarKind.Fifo,
    };
}
