// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Files;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Diff;

/// <summary>The directories a layer is being extracted into, kept open for a while, and made when an entry lacks its parents.</summary>
internal sealed class LayerDirectories(DirectoryHandle root, ApplyTarget target) : IDisposable
{
    private const int MaxOpen = 64;
    private const int MaxLinks = 40;
    private const uint SetGroupId = 0x400;

    private readonly Dictionary<string, (DirectoryHandle Handle, bool InheritsGroup)> _open = new(StringComparer.Ordinal);
    private readonly LowerDirectories _lowers = new(target.Lowers);
    private readonly List<string> _made = [];
    private DirectoryHandle? _last;

    public DirectoryHandle Root => root;

    /// <summary>Paths that were made because entries lacked their parents and that hide nothing, parents first.</summary>
    public IReadOnlyList<string> Made => _made;

    /// <summary>The directory of this path; null if there is none. Valid until the next but one is asked for.</summary>
    public DirectoryHandle? TryOpen(string path)
    {
        if (path.Length == 0)
        {
            return root;
        }

        if (_open.TryGetValue(path, out var known))
        {
            _last = known.Handle;
            return known.Handle;
        }

        if (root.TryOpenDirectory(path) is not { } handle)
        {
            return null;
        }

        if (_open.Count >= MaxOpen)
        {
            // The handle given out last may still be in use beside the one that is asked for.
            string unused = _open.First(pair => pair.Value.Handle != _last).Key;
            _open[unused].Handle.Dispose();
            _open.Remove(unused);
        }

        _last = handle;
        _open[path] = (handle, (handle.Status().Mode & SetGroupId) != 0);
        return handle;
    }

    /// <summary>The directory of this path, made with mode and owner of the lower layers' if it is missing.</summary>
    public DirectoryHandle Require(string path, out bool inheritsGroup)
    {
        inheritsGroup = false;
        if (path.Length == 0)
        {
            inheritsGroup = (root.Status().Mode & SetGroupId) != 0;
            return root;
        }

        DirectoryHandle handle = TryOpen(path) ?? Make(path);
        inheritsGroup = _open[path].InheritsGroup;
        return handle;
    }

    /// <summary>Hides all that lower layers hold below a directory (overlayfs.rst, "whiteouts and opaque directories").</summary>
    public void MakeOpaque(DirectoryHandle parent, string name) =>
        parent.SetAttribute(name, $"{target.OverlayPrefix}overlay.opaque", "y"u8);

    /// <summary>Closes all, because a directory was removed, replaced or changed.</summary>
    public void Forget() => ForgetAllBut(null);

    /// <summary>Closes all but one that is still in use.</summary>
    public void ForgetAllBut(DirectoryHandle? used)
    {
        foreach ((string path, (DirectoryHandle handle, _)) in _open.ToArray())
        {
            if (handle != used)
            {
                handle.Dispose();
                _open.Remove(path);
            }
        }
    }

    public void Dispose()
    {
        Forget();
        _lowers.Dispose();
    }

    // Links are resolved here by hand, because a link of this layer may lead to a directory that only a lower layer holds.
    private DirectoryHandle Make(string path)
    {
        List<string> made = [];
        Stack<string> rest = new(path.Split('/').Reverse());
        int links = 0;
        while (rest.TryPop(out string? name))
        {
            if (name is "" or ".")
            {
                continue;
            }

            if (name == "..")
            {
                made.RemoveRange(Math.Max(made.Count - 1, 0), Math.Min(made.Count, 1));
                continue;
            }

            DirectoryHandle parent = TryOpen(string.Join('/', made)) ?? throw NotADirectory(path);
            FileStatus? existing = parent.TryStatus(name);
            if (existing is { Kind: FileKind.SymbolicLink })
            {
                string link = ++links <= MaxLinks ? parent.ReadLink(name) : throw NotADirectory(path);
                if (link.StartsWith('/'))
                {
                    made.Clear();
                }

                foreach (string part in link.Split('/').Reverse())
                {
                    rest.Push(part);
                }

                continue;
            }

            made.Add(name);
            if (existing is null or { IsWhiteout: true })
            {
                MakeOne(parent, name, string.Join('/', made), existing is not null);
            }
        }

        return TryOpen(path) ?? throw NotADirectory(path);
    }

    private void MakeOne(DirectoryHandle parent, string name, string path, bool whiteout)
    {
        if (whiteout)
        {
            parent.Unlink(name);
        }

        parent.TryCreateDirectory(name, 0x1ED);
        parent.ChangeMode(name, 0x1ED); // 0755 whatever the umask is
        if (whiteout && target.OverlayPrefix is not null)
        {
            MakeOpaque(parent, name);
        }
        else
        {
            _made.Add(path);
            _lowers.CopyTo(parent, name, path);
        }
    }

    private static Protocol.Errors.RefusedException NotADirectory(string path) =>
        LayerLimits.Malformed($"parent \"{path}\" is not a directory");
}
