// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Diff;

/// <summary>Writes the entries of a layer into a directory.</summary>
/// <remarks>
/// Parents of an entry are resolved with the target as root, so that links of the layer may be absolute and never lead out; the last
/// component is never followed. A name that exists is replaced, except a directory by a directory. Times of directories are set last.
/// </remarks>
internal sealed class LayerUnpacker : ITarSink, IDisposable
{
    private readonly ApplyTarget _target;
    private readonly LayerDirectories _directories;
    private readonly HashSet<string> _unpacked = new(StringComparer.Ordinal);
    private readonly List<(string Path, FileTime Accessed, FileTime Modified)> _directoryTimes = [];
    private readonly uint _user;
    private readonly uint _group;
    private readonly bool _userNamespace;
    private TarEntry _entry = new() { Name = "", Kind = TarKind.Directory };
    private FileHandle? _file;
    private bool _exactMode;

    public LayerUnpacker(DirectoryHandle root, ApplyTarget target)
    {
        _target = target;
        _directories = new LayerDirectories(root, target);
        (_user, _group) = ProcessFacts.EffectiveIds;
        _userNamespace = ProcessFacts.InUserNamespace;
    }

    public void Begin(TarEntry entry)
    {
        _entry = entry;
        Guard(() => Unpack(entry));
    }

    public void Content(long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (_entry.IsSparse)
            {
                _file?.WriteAt(offset, bytes);
            }
            else
            {
                _file?.Write(bytes);
            }
        }
        catch (LinuxException failure)
        {
            throw Failed(failure);
        }
    }

    public void End() => Guard(() =>
    {
        if (_file is null)
        {
            return;
        }

        if (_entry.IsSparse)
        {
            _file.Truncate(_entry.Size);
        }

        ApplyMetadata(_file, _entry);
        _file.Dispose();
        _file = null;
    });

    /// <summary>Sets what could not be set before all entries were written.</summary>
    public void Complete()
    {
        for (int i = _directoryTimes.Count - 1; i >= 0; i--)
        {
            (string path, FileTime accessed, FileTime modified) = _directoryTimes[i];
            if (path.Length == 0)
            {
                _directories.Root.SetTimes(".", accessed, modified);
            }
            else if (_directories.TryOpen(LayerPaths.Parent(path)) is { } parent
                && parent.TryStatus(LayerPaths.Name(path)) is { Kind: FileKind.Directory })
            {
                parent.SetTimes(LayerPaths.Name(path), accessed, modified);
            }
        }
    }

    /// <summary>Directories of which the layer says nothing itself; empty for the root.</summary>
    /// <remarks>Only of a layer whose lower ones are not known yet; otherwise they have got it already.</remarks>
    public ImmutableArray<string> Inherited()
    {
        if (_target.OverlayPrefix is null || !_target.Lowers.IsEmpty)
        {
            return [];
        }

        HashSet<string> said = [.. _directoryTimes.Select(static directory => directory.Path)];
        return [.. _directories.Made.Prepend("").Where(path => !said.Contains(path)).Distinct(StringComparer.Ordinal)];
    }

    public void Dispose()
    {
        _file?.Dispose();
        _directories.Dispose();
    }

    private void Unpack(TarEntry entry)
    {
        string path = LayerPaths.Clean(entry.Name);
        string name = LayerPaths.Name(path);
        if (path.Length == 0)
        {
            UnpackRoot(entry);
        }
        else if (path.StartsWith(LayerPaths.Meta, StringComparison.Ordinal) && name != LayerPaths.Opaque)
        {
            // aufs' own directories say nothing about the tree.
            return;
        }
        else if (name.StartsWith(LayerPaths.Whiteout, StringComparison.Ordinal))
        {
            Remove(LayerPaths.Parent(path), name, entry);
        }
        else
        {
            DirectoryHandle parent = _directories.Require(LayerPaths.Parent(path), out bool inheritsGroup);
            _exactMode = inheritsGroup;
            Create(parent, path, name, entry);
            Remember(path);
        }
    }

    private void UnpackRoot(TarEntry entry)
    {
        if (entry.Kind == TarKind.Directory)
        {
            _exactMode = true;
            ApplyMetadata(_directories.Root, ".", entry);
            _directoryTimes.Add(("", Accessed(entry), entry.ModifiedAt));
        }
        else
        {
            throw LayerLimits.Malformed("the root of a layer must be a directory");
        }
    }

    private void Create(DirectoryHandle parent, string path, string name, TarEntry entry)
    {
        if (entry.Kind == TarKind.HardLink && IsLinkToItself(parent, path, name, entry))
        {
            return;
        }

        // Whether files inherit the group is remembered with the open directory.
        bool forgets = false;
        uint mode = entry.Mode & ~ProcessFacts.Umask;
        if (!TryCreate(parent, name, mode, entry))
        {
            FileStatus existing = parent.Status(name);
            bool merges = entry.Kind == TarKind.Directory && existing.Kind == FileKind.Directory;
            forgets = merges && existing.Mode != entry.Mode;
            if (!merges)
            {
                bool hidesLower = existing.IsWhiteout && _target.OverlayPrefix is not null && entry.Kind == TarKind.Directory;
                RemoveExisting(parent, name, existing);
                if (!TryCreate(parent, name, mode, entry))
                {
                    throw LayerLimits.Malformed("name exists");
                }

                if (hidesLower)
                {
                    _directories.MakeOpaque(parent, name);
                }
            }
        }

        if (entry.Kind == TarKind.Directory)
        {
            ApplyMetadata(parent, name, entry);
            _directoryTimes.Add((path, Accessed(entry), entry.ModifiedAt));
            if (forgets)
            {
                _directories.Forget();
            }
        }
        else if (entry.Kind != TarKind.Regular && entry.Kind != TarKind.HardLink && !(IsDevice(entry) && _userNamespace))
        {
            ApplyMetadata(parent, name, entry);
            parent.SetTimes(name, Accessed(entry), entry.ModifiedAt);
        }
    }

    private bool TryCreate(DirectoryHandle parent, string name, uint mode, TarEntry entry)
    {
        switch (entry.Kind)
        {
            case TarKind.Directory:
                return parent.TryCreateDirectory(name, mode);
            case TarKind.SymbolicLink:
                return parent.TryCreateSymbolicLink(name, entry.LinkName);
            case TarKind.HardLink:
                string source = LayerPaths.Clean(entry.LinkName);
                DirectoryHandle sourceParent = _directories.TryOpen(LayerPaths.Parent(source))
                    ?? throw LayerLimits.Malformed($"hard link to \"{entry.LinkName}\", which the layer does not hold");
                return parent.TryCreateHardLink(name, sourceParent, LayerPaths.Name(source));
            case TarKind.Regular:
                return parent.TryCreateFile(name, mode, out _file!);
            case TarKind.Fifo:
                return parent.TryCreateNode(name, FileKind.Fifo, mode, 0, 0);
            default:
                // The kernel lets nobody make devices in a user namespace; containerd leaves them out there too.
                FileKind kind = entry.Kind == TarKind.BlockDevice ? FileKind.BlockDevice : FileKind.CharacterDevice;
                return _userNamespace || parent.TryCreateNode(name, kind, mode, entry.DeviceMajor, entry.DeviceMinor);
        }
    }

    private static bool IsLinkToItself(DirectoryHandle parent, string path, string name, TarEntry entry) =>
        LayerPaths.Clean(entry.LinkName) == path && (parent.TryStatus(name) is not null
            ? true
            : throw LayerLimits.Malformed("hard link to itself"));

    private void Remove(string parentPath, string name, TarEntry entry)
    {
        if (name == LayerPaths.Opaque)
        {
            DirectoryHandle self = _directories.Require(parentPath, out _);
            RemoveUnlessUnpacked(self, parentPath);
            _directories.Forget();
            if (_target.OverlayPrefix is not null)
            {
                _directories.MakeOpaque(_directories.Require(parentPath, out _), ".");
            }

            return;
        }

        if (name.StartsWith(LayerPaths.Meta, StringComparison.Ordinal))
        {
            return;
        }

        string original = name[LayerPaths.Whiteout.Length..];
        if (original is "" or "." or "..")
        {
            throw LayerLimits.Malformed($"invalid whiteout name \"{name}\"");
        }

        if (_target.OverlayPrefix is null)
        {
            if (_directories.TryOpen(parentPath) is { } plain)
            {
                RemoveOriginal(plain, parentPath, original);
            }

            return;
        }

        DirectoryHandle parent = _directories.Require(parentPath, out _);
        FileStatus? left = RemoveOriginal(parent, parentPath, original);
        if (left is { Kind: FileKind.Directory })
        {
            _directories.MakeOpaque(parent, original);
        }
        else if (left is null && parent.TryCreateNode(original, FileKind.CharacterDevice, 0, 0, 0))
        {
            if (entry.UserId != _user || entry.GroupId != _group)
            {
                parent.ChangeOwner(original, Id(entry.UserId), Id(entry.GroupId));
            }
        }
    }

    // A whiteout speaks of lower layers only: what this layer brought itself stays (OCI image-spec, layer.md "Whiteouts").
    private FileStatus? RemoveOriginal(DirectoryHandle parent, string parentPath, string name)
    {
        if (parent.TryStatus(name) is not { } existing)
        {
            return null;
        }

        string path = parentPath.Length == 0 ? name : $"{parentPath}/{name}";
        if (_unpacked.Contains(path))
        {
            if (existing.Kind == FileKind.Directory)
            {
                using DirectoryHandle self = parent.OpenChild(name);
                RemoveUnlessUnpacked(self, path);
                _directories.ForgetAllBut(parent);
            }

            return existing;
        }

        RemoveExisting(parent, name, existing);
        return null;
    }

    private void RemoveUnlessUnpacked(DirectoryHandle directory, string path)
    {
        foreach (string name in directory.List())
        {
            string child = path.Length == 0 ? name : $"{path}/{name}";
            if (!_unpacked.Contains(child))
            {
                directory.RemoveTree(name);
            }
            else if (directory.TryStatus(name) is { Kind: FileKind.Directory })
            {
                using DirectoryHandle self = directory.OpenChild(name);
                RemoveUnlessUnpacked(self, child);
            }
        }
    }

    private void RemoveExisting(DirectoryHandle parent, string name, FileStatus existing)
    {
        if (existing.Kind is FileKind.Directory)
        {
            parent.RemoveTree(name);
        }
        else
        {
            parent.Unlink(name);
        }

        if (existing.Kind is FileKind.Directory or FileKind.SymbolicLink)
        {
            _directories.ForgetAllBut(parent);
        }
    }

    private void Remember(string path)
    {
        while (path.Length > 0 && _unpacked.Add(path))
        {
            path = LayerPaths.Parent(path);
        }
    }

    private void ApplyMetadata(FileHandle file, TarEntry entry)
    {
        bool owned = _exactMode || entry.UserId != _user || entry.GroupId != _group;
        if (owned)
        {
            file.ChangeOwner(Id(entry.UserId), Id(entry.GroupId));
        }

        if (owned || ModeNeedsCall(entry))
        {
            file.ChangeMode(entry.Mode);
        }

        foreach ((string key, byte[] value) in Attributes(entry))
        {
            IgnoringUnsupported(() => file.SetAttribute(key, value));
        }

        file.SetTimes(Accessed(entry), entry.ModifiedAt);
    }

    private static void ApplyMetadata(DirectoryHandle parent, string name, TarEntry entry)
    {
        parent.ChangeOwner(name, Id(entry.UserId), Id(entry.GroupId));
        if (entry.Kind != TarKind.SymbolicLink)
        {
            parent.ChangeMode(name, entry.Mode);
        }

        foreach ((string key, byte[] value) in Attributes(entry))
        {
            IgnoringUnsupported(() => parent.SetAttribute(name, key, value));
        }
    }

    // Attributes by which overlayfs redirects names are its own: from a layer they would point into other layers.
    private static IEnumerable<KeyValuePair<string, byte[]>> Attributes(TarEntry entry) => entry.Attributes.Where(static pair =>
        !pair.Key.StartsWith("trusted.overlay.", StringComparison.Ordinal) && !pair.Key.StartsWith("user.overlay.", StringComparison.Ordinal));

    private static void IgnoringUnsupported(Action set)
    {
        try
        {
            set();
        }
        catch (LinuxException failure) when (failure.Error.Name == "EOPNOTSUPP")
        {
            // containerd extracts without attributes where the file system has none.
        }
    }

    private static bool IsDevice(TarEntry entry) => entry.Kind is TarKind.BlockDevice or TarKind.CharacterDevice;

    private static bool ModeNeedsCall(TarEntry entry) => (entry.Mode & (ProcessFacts.Umask | 0xE00)) != 0 || entry.Attributes.Count > 0;

    private static FileTime Accessed(TarEntry entry) => entry.AccessedAt ?? entry.ModifiedAt;

    private static uint Id(long id) =>
        id is >= 0 and < uint.MaxValue ? (uint)id : throw LayerLimits.Malformed("user or group id is out of range");

    private void Guard(Action step)
    {
        try
        {
            step();
        }
        catch (LinuxException failure)
        {
            throw Failed(failure);
        }
        catch (RefusedException refusal) when (!refusal.Error.Message.Contains("entry \"", StringComparison.Ordinal))
        {
            throw new RefusedException(refusal.Error.While($"entry \"{_entry.Name}\""), refusal);
        }
    }

    private RefusedException Failed(LinuxException failure) =>
        new(failure.Error.ToError().While($"failed to extract entry \"{_entry.Name}\""), failure);
}
