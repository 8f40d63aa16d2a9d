// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Starting;

namespace Containerd.Actors.Shims.Bundles;

/// <summary>Where bundles lie.</summary>
/// <param name="State">The daemon's volatile directory.</param>
/// <param name="Root">The daemon's persistent directory.</param>
public sealed record BundleRoots(string State, string Root)
{
    /// <summary>The plugin whose directories bundles are; shims and tools know the name.</summary>
    public const string Plugin = "io.containerd.runtime.v2.task";

    /// <summary>The plugin whose directories the bundles of sandboxes are.</summary>
    public const string SandboxPlugin = "io.containerd.sandbox.controller.v1.shim";

    /// <summary>The plugin these bundles belong to.</summary>
    public string Owner { get; init; } = Plugin;

    /// <summary>The bundles of sandboxes of the same daemon.</summary>
    public BundleRoots OfSandboxes => this with { Owner = SandboxPlugin };

    internal string StateOf(string ns) => Path.Combine(State, Owner, ns);

    internal string WorkOf(string ns) => Path.Combine(Root, Owner, ns);
}

/// <summary>The directory a shim and its OCI runtime work in, one per task.</summary>
/// <remarks>
/// <c>config.json</c> is the container's spec, byte for byte; <c>rootfs</c> is where the shim mounts; <c>work</c> leads to
/// a directory that outlives a reboot; <c>log</c> is a FIFO; <c>shim-binary-path</c> and <c>bootstrap.json</c> are what a
/// restarted daemon needs to find the shim again. All methods do blocking file I/O.
/// </remarks>
public sealed class Bundle
{
    private const UnixFileMode ParentMode = (UnixFileMode)0b111_001_001; // 0711
    private const UnixFileMode BundleMode = (UnixFileMode)0b111_000_000; // 0700
    private const UnixFileMode MappedBundleMode = (UnixFileMode)0b111_001_000; // 0710
    private const UnixFileMode PrivateFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PublicFileMode = PrivateFileMode | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const int IdLengthMax = 76;

    private readonly BundleRoots _roots;

    private Bundle(BundleRoots roots, string ns, string id)
    {
        (_roots, Namespace, Id) = (roots, ns, id);
    }

    /// <summary>The containerd namespace.</summary>
    public string Namespace { get; }

    /// <summary>The task.</summary>
    public string Id { get; }

    /// <summary>The directory.</summary>
    public string Path => System.IO.Path.Combine(_roots.StateOf(Namespace), Id);

    /// <summary>The persistent directory behind <c>work</c>.</summary>
    public string WorkPath => System.IO.Path.Combine(_roots.WorkOf(Namespace), Id);

    /// <summary>Where the shim mounts the root file system.</summary>
    public string RootfsPath => In("rootfs");

    /// <summary>The FIFO to which the shim logs.</summary>
    public string LogPath => In("log");

    /// <summary>Where the shim's executable is recorded.</summary>
    public string ShimBinaryPath => In("shim-binary-path");

    /// <summary>Where the shim's answer is recorded.</summary>
    public string BootstrapPath => In("bootstrap.json");

    /// <summary>Where the sandbox is recorded whose shim serves the task.</summary>
    public string SandboxPath => In("sandbox");

    /// <summary>True when the shim is a sandbox's: it neither ends with the task nor is cleaned up after with it.</summary>
    public bool IsSandboxed => File.Exists(SandboxPath);

    /// <summary>Makes a bundle; leaves nothing behind if that fails.</summary>
    /// <param name="roots">Where.</param>
    /// <param name="ns">The containerd namespace.</param>
    /// <param name="id">The task; at most 76 characters.</param>
    /// <param name="spec">The spec as JSON, written as it is; no file if empty.</param>
    /// <param name="rootGid">Host group that the container's group 0 is mapped to; 0 without a user namespace.</param>
    /// <exception cref="RefusedException">InvalidArgument: the id cannot name a directory. AlreadyExists: there is such a bundle.</exception>
    public static Bundle Create(BundleRoots roots, string ns, string id, ReadOnlySpan<byte> spec, uint rootGid = 0)
    {
        ArgumentNullException.ThrowIfNull(roots);
        Check(ns);
        Check(id);
        var bundle = new Bundle(roots, ns, id);
        Directory.CreateDirectory(roots.StateOf(ns), ParentMode);
        Directory.CreateDirectory(roots.WorkOf(ns), ParentMode);
        if (Directory.Exists(bundle.Path))
        {
            throw new RefusedException(Error.AlreadyExists($"bundle {bundle.Path}"));
        }

        try
        {
            bundle.Fill(spec, rootGid);
            return bundle;
        }
        catch
        {
            bundle.Delete();
            throw;
        }
    }

    /// <summary>The bundle that lies there; nothing is read yet.</summary>
    /// <exception cref="RefusedException">NotFound: there is none.</exception>
    public static Bundle Load(BundleRoots roots, string ns, string id)
    {
        var bundle = At(roots, ns, id);
        return Directory.Exists(bundle.Path) ? bundle : throw new RefusedException(Error.NotFound($"bundle {bundle.Path}"));
    }

    /// <summary>The bundle that lies there, or null; nothing is read yet.</summary>
    public static Bundle? TryLoad(BundleRoots roots, string ns, string id)
    {
        var bundle = At(roots, ns, id);
        return Directory.Exists(bundle.Path) ? bundle : null;
    }

    /// <summary>All bundles of all namespaces, for a restarted daemon; hidden directories are remains of deletions.</summary>
    public static IReadOnlyList<Bundle> List(BundleRoots roots)
    {
        ArgumentNullException.ThrowIfNull(roots);
        var found = new List<Bundle>();
        foreach (var ns in Names(System.IO.Path.Combine(roots.State, roots.Owner)))
        {
            found.AddRange(Names(roots.StateOf(ns)).Select(id => new Bundle(roots, ns, id)));
        }

        return found;
    }

    /// <summary>
    /// The ids of bundles of a namespace of which interrupted deletions left something: directories that are hidden already, and persistent
    /// ones whose bundle is gone.
    /// </summary>
    /// <param name="roots">Where.</param>
    /// <param name="ns">The containerd namespace.</param>
    public static IReadOnlyCollection<string> Remains(BundleRoots roots, string ns)
    {
        ArgumentNullException.ThrowIfNull(roots);
        Check(ns);
        var hidden = AllNames(roots.StateOf(ns)).Concat(AllNames(roots.WorkOf(ns))).Where(name => name[0] == '.').Select(name => name[1..]);
        var persistent = Names(roots.WorkOf(ns)).Where(id => !Directory.Exists(System.IO.Path.Combine(roots.StateOf(ns), id)));
        return [.. hidden.Concat(persistent).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Removes what interrupted deletions left of the bundle of this id; one that is whole stays.</summary>
    /// <param name="roots">Where.</param>
    /// <param name="ns">The containerd namespace.</param>
    /// <param name="id">The task.</param>
    /// <exception cref="IOException">Something could not be removed; the next call goes on with it.</exception>
    public static void RemoveRemains(BundleRoots roots, string ns, string id)
    {
        var bundle = At(roots, ns, id);
        RemoveHidden(roots.StateOf(ns), id);
        RemoveHidden(roots.WorkOf(ns), id);
        if (!Directory.Exists(bundle.Path))
        {
            bundle.Remove(roots.WorkOf(ns));
        }
    }

    /// <summary>
    /// Unmounts the root file system and removes both directories. Each is renamed to a hidden sibling first, so that
    /// a crash never leaves half a bundle under its name. Idempotent.
    /// </summary>
    /// <exception cref="RefusedException">The root file system's directory has content of its own; nothing was removed.</exception>
    public void Delete()
    {
        MountTree.Unmount(RootfsPath);

        // Not recursive: were anything still mounted there, its files would be a snapshot's.
        if (Directory.Exists(RootfsPath))
        {
            try
            {
                Directory.Delete(RootfsPath, recursive: false);
            }
            catch (IOException failure)
            {
                throw new RefusedException(Error.Unknown($"failed to remove bundle rootfs: {failure.Message}"), failure);
            }
        }

        Remove(_roots.StateOf(Namespace));
        Remove(_roots.WorkOf(Namespace));
    }

    /// <summary>Records which executable serves the bundle.</summary>
    public void WriteShimBinary(string path) => Write(ShimBinaryPath, System.Text.Encoding.UTF8.GetBytes(path), PrivateFileMode);

    /// <summary>Records that the shim of this sandbox serves the bundle.</summary>
    public void WriteSandbox(string id) => Write(SandboxPath, System.Text.Encoding.UTF8.GetBytes(id), PrivateFileMode);

    /// <summary>The recorded executable, or null.</summary>
    public string? ReadShimBinary() => File.Exists(ShimBinaryPath) ? File.ReadAllText(ShimBinaryPath).Trim() : null;

    /// <summary>Records the shim's answer; replaced as a whole, so a reader never sees half of it.</summary>
    public void WriteBootstrap(ShimAddress address)
    {
        var hidden = In($".{System.IO.Path.GetFileName(BootstrapPath)}");
        Write(hidden, address.ToJson(), PublicFileMode);
        File.Move(hidden, BootstrapPath, overwrite: true);
    }

    /// <summary>The recorded answer, also as shims before 2.0 left it in <c>address</c>.</summary>
    /// <exception cref="RefusedException">NotFound: nothing is recorded.</exception>
    public ShimAddress ReadBootstrap()
    {
        if (File.Exists(BootstrapPath))
        {
            return ShimAddress.Parse(File.ReadAllBytes(BootstrapPath));
        }

        return File.Exists(In("address"))
            ? new ShimAddress(2, File.ReadAllText(In("address")).Trim(), ShimAddress.Ttrpc)
            : throw new RefusedException(Error.NotFound($"bundle {Path}: bootstrap.json"));
    }

    private static Bundle At(BundleRoots roots, string ns, string id)
    {
        ArgumentNullException.ThrowIfNull(roots);
        Check(ns);
        Check(id);
        return new Bundle(roots, ns, id);
    }

    private static void Check(string name, [CallerArgumentExpression(nameof(name))] string what = "")
    {
        var isPlain = !string.IsNullOrEmpty(name)
            && name.Length <= IdLengthMax
            && char.IsAsciiLetterOrDigit(name[0])
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        if (!isPlain)
        {
            throw new RefusedException(Error.Invalid(
                $"{(what == "ns" ? "namespace" : "task id")} \"{name}\": an identifier of at most {IdLengthMax} characters is needed"));
        }
    }

    private static IEnumerable<string> Names(string directory) => AllNames(directory).Where(name => name[0] != '.').Order(StringComparer.Ordinal);

    private static string[] AllNames(string directory) =>
        Directory.Exists(directory) ? [.. Directory.EnumerateDirectories(directory).Select(path => System.IO.Path.GetFileName(path))] : [];

    private static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        using var file = new FileStream(
            path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = mode });
        file.Write(content);
    }

    private void Fill(ReadOnlySpan<byte> spec, uint rootGid)
    {
        MakeDirectory(Path, BundleMode);
        if (rootGid != 0)
        {
            MountTree.ChangeGroup(Path, rootGid);
            File.SetUnixFileMode(Path, MappedBundleMode);
        }

        MakeDirectory(RootfsPath, ParentMode);

        // What an earlier boot left under the same id has no task any more.
        Remove(_roots.WorkOf(Namespace));
        MakeDirectory(WorkPath, ParentMode);
        File.CreateSymbolicLink(In("work"), WorkPath);
        PipeEnd.CreateFifo(LogPath, BundleMode);
        if (!spec.IsEmpty)
        {
            Write(In("config.json"), spec, PublicFileMode);
        }
    }

    // The mode is set again because the process's umask takes bits away at creation.
    private static void MakeDirectory(string path, UnixFileMode mode)
    {
        Directory.CreateDirectory(path, mode);
        File.SetUnixFileMode(path, mode);
    }

    private static string HiddenOf(string parent, string id) => System.IO.Path.Combine(parent, "." + id);

    private static void RemoveHidden(string parent, string id)
    {
        var hidden = HiddenOf(parent, id);
        if (Directory.Exists(hidden))
        {
            Directory.Delete(hidden, recursive: true);
        }
    }

    private void Remove(string parent)
    {
        RemoveHidden(parent, Id);
        var path = System.IO.Path.Combine(parent, Id);
        if (Directory.Exists(path))
        {
            Directory.Move(path, HiddenOf(parent, Id));
            RemoveHidden(parent, Id);
        }
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
