// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Diff;

/// <summary>The directories of the layers below, nearest first: what a layer does not say of a directory is as it is there.</summary>
internal sealed class LowerDirectories(IReadOnlyList<string> paths) : IDisposable
{
    private readonly List<DirectoryHandle> _open = [];

    /// <summary>Gives a directory the owner, mode, attributes and times that the nearest layer has for its path; nothing happens if none has.</summary>
    /// <param name="parent">Where the directory is.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="path">Its path in the layers.</param>
    public void CopyTo(DirectoryHandle parent, string name, string path)
    {
        foreach (DirectoryHandle lower in Open())
        {
            using DirectoryHandle? lowerParent = lower.TryOpenDirectory(LayerPaths.Parent(path));
            if (lowerParent?.TryStatus(name) is not { } status)
            {
                continue;
            }

            if (status.Kind == FileKind.Directory)
            {
                Copy(lowerParent, parent, name, status);
            }

            return;
        }
    }

    public void Dispose() => _open.ForEach(static lower => lower.Dispose());

    private static void Copy(DirectoryHandle from, DirectoryHandle to, string name, FileStatus status)
    {
        to.ChangeOwner(name, status.UserId, status.GroupId);
        to.ChangeMode(name, status.Mode);
        foreach (string attribute in from.ListAttributes(name))
        {
            if (!attribute.Contains(".overlay.", StringComparison.Ordinal) && from.TryAttribute(name, attribute) is { } value)
            {
                to.SetAttribute(name, attribute, value);
            }
        }

        to.SetTimes(name, status.AccessedAt, status.ModifiedAt);
    }

    private List<DirectoryHandle> Open()
    {
        if (_open.Count == 0)
        {
            foreach (string path in paths)
            {
                _open.Add(DirectoryHandle.Open(path));
            }
        }

        return _open;
    }
}
