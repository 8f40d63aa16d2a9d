// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>The directory <c>snapshots</c> of a backend: one numbered directory each, made under another name and renamed into place.</summary>
internal sealed class SnapshotDirectories
{
    private const string Unfinished = "new-";

    public SnapshotDirectories(string root)
    {
        Root = root;
        Path = System.IO.Path.Combine(root, "snapshots");
        Directory.CreateDirectory(Path);
        using DirectoryHandle parent = DirectoryHandle.Open(root);
        parent.ChangeMode(".", 0x1C0); // 0700: files of containers keep setuid bits and must not be reached by users of the host.
        parent.ChangeMode("snapshots", 0x1C0);
        using DirectoryHandle handle = DirectoryHandle.Open(Path);
        foreach (string left in handle.List().Where(static name => name.StartsWith(Unfinished, StringComparison.Ordinal)))
        {
            handle.RemoveTree(left);
        }
    }

    public string Root { get; }

    public string Path { get; }

    public string Of(long id) => System.IO.Path.Combine(Path, Name(id));

    /// <summary>Makes a directory by filling a new one and renaming it. A bound on its size is refused: nothing here would hold it.</summary>
    public void Create(long id, IReadOnlyDictionary<string, string> labels, Action<DirectoryHandle> fill)
    {
        SnapshotQuotas.Size(labels, Path, canHold: false);
        string unfinished = Unfinished + Name(id);
        using DirectoryHandle handle = DirectoryHandle.Open(Path);
        handle.RemoveTree(unfinished);
        handle.TryCreateDirectory(unfinished, 0x1C0);
        try
        {
            using (DirectoryHandle made = handle.OpenChild(unfinished))
            {
                fill(made);
            }

            handle.RemoveTree(Name(id));
            handle.Rename(unfinished, handle, Name(id));
        }
        catch
        {
            handle.RemoveTree(unfinished);
            throw;
        }
    }

    public void Remove(long id)
    {
        using DirectoryHandle handle = DirectoryHandle.Open(Path);
        handle.RemoveTree(Name(id));
    }

    public IReadOnlyList<long> List()
    {
        using DirectoryHandle handle = DirectoryHandle.Open(Path);
        List<long> found = [];
        foreach (string name in handle.List())
        {
            if (long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long id))
            {
                found.Add(id);
            }
        }

        found.Sort();
        return found;
    }

    private static string Name(long id) => id.ToString(CultureInfo.InvariantCulture);
}
