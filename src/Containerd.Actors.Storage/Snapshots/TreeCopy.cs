// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>Copies a tree with owners, modes, times, attributes, hard links, devices and holes. Sockets are left out.</summary>
internal static class TreeCopy
{
    /// <summary>Copies the content and the attributes of a directory into another that is empty.</summary>
    public static void Copy(DirectoryHandle source, DirectoryHandle target) =>
        CopyDirectory(source, target, "", target, []);

    private static void CopyDirectory(
        DirectoryHandle source, DirectoryHandle target, string path, DirectoryHandle root, Dictionary<(ulong, ulong), string> links)
    {
        foreach (string name in source.List())
        {
            FileStatus status = source.Status(name);
            string child = path.Length == 0 ? name : $"{path}/{name}";
            if (status.Kind == FileKind.Socket)
            {
                continue;
            }

            if (status.Kind != FileKind.Directory && status.Links > 1)
            {
                if (links.TryGetValue((status.Device, status.Inode), out string? first))
                {
                    using DirectoryHandle parent = root.OpenDirectory(Diff.LayerPaths.Parent(first));
                    target.TryCreateHardLink(name, parent, Diff.LayerPaths.Name(first));
                    continue;
                }

                links[(status.Device, status.Inode)] = child;
            }

            CopyOne(source, target, name, status, child, root, links);
        }

        CopyMetadata(source, target, ".", source.Status());
    }

    private static void CopyOne(
        DirectoryHandle source,
        DirectoryHandle target,
        string name,
        FileStatus status,
        string path,
        DirectoryHandle root,
        Dictionary<(ulong, ulong), string> links)
    {
        switch (status.Kind)
        {
            case FileKind.Directory:
                target.TryCreateDirectory(name, 0x1C0);
                using (DirectoryHandle from = source.OpenChild(name))
                using (DirectoryHandle to = target.OpenChild(name))
                {
                    CopyDirectory(from, to, path, root, links);
                }

                return;
            case FileKind.SymbolicLink:
                target.TryCreateSymbolicLink(name, source.ReadLink(name));
                break;
            case FileKind.Regular:
                CopyContent(source, target, name, status.Size);
                break;
            default:
                target.TryCreateNode(name, status.Kind, status.Mode, status.DeviceMajor, status.DeviceMinor);
                break;
        }

        CopyMetadata(source, target, name, status);
    }

    private static void CopyContent(DirectoryHandle source, DirectoryHandle target, string name, long size)
    {
        using FileHandle from = source.OpenFile(name);
        if (!target.TryCreateFile(name, 0x180, out FileHandle to))
        {
            throw new InvalidOperationException("the target of a copy was not empty");
        }

        using (to)
        {
            to.Truncate(size);
            long offset = 0;
            while (from.NextData(offset, size, out long start, out long end))
            {
                from.CopyRange(to, start, end - start);
                offset = end;
            }
        }
    }

    private static void CopyMetadata(DirectoryHandle source, DirectoryHandle target, string name, FileStatus status)
    {
        target.ChangeOwner(name, status.UserId, status.GroupId);
        if (status.Kind != FileKind.SymbolicLink)
        {
            target.ChangeMode(name, status.Mode);
        }

        foreach (string attribute in source.ListAttributes(name))
        {
            if (source.TryAttribute(name, attribute) is { } value)
            {
                target.SetAttribute(name, attribute, value);
            }
        }

        target.SetTimes(name, status.AccessedAt, status.ModifiedAt);
    }
}
