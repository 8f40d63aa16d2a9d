// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Protocol.Errors;
using KernelEffects = Containerd.Actors.Core.Executor.Effects;

namespace Containerd.Actors.Storage.Mounts;

/// <summary>What the prefixes of mount types ask for: templates filled in, directories and file systems made.</summary>
/// <param name="roots">Directories beneath which something may be made.</param>
/// <param name="run">Runs the programs that make file systems.</param>
internal sealed class MountTransforms(ImmutableArray<string> roots, IEffectRunner run)
{
    private const uint ImageMode = 0x1A0; // 0640
    private const int OutputMax = 4096;

    // Formatting is quick; what takes longer hangs.
    private static readonly TimeSpan FormatLimit = TimeSpan.FromMinutes(2);

    // Where the administrators' programs lie.
    private static readonly string[] ProgramDirectories = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"];

    /// <summary>The mount as it can be mounted.</summary>
    public Mount Transform(PlannedMount planned, IReadOnlyList<ActiveMount> active, CancellationToken cancellationToken)
    {
        Mount mount = planned.Mount;
        foreach (MountTransform transform in planned.Transforms)
        {
            mount = transform switch
            {
                MountTransform.Format => MountTemplates.Fill(mount, active),
                MountTransform.MakeDirectory => MakeDirectories(mount),
                _ => MakeFileSystem(mount, cancellationToken),
            };
        }

        return mount;
    }

    private Mount MakeDirectories(Mount mount)
    {
        (ImmutableArray<MadeDirectory> directories, ImmutableArray<string> options) = MadeDirectory.Of(mount.Options);
        foreach (MadeDirectory directory in directories)
        {
            Make(directory);
        }

        return mount with { Options = options };
    }

    private void Make(MadeDirectory wanted)
    {
        (DirectoryHandle parent, string name) = Beneath(wanted.Path, "mkdir");
        using (parent)
        {
            if (parent.TryStatus(name) is { } there)
            {
                bool isOwned = wanted.Owner is not { } owner || owner == (there.UserId, there.GroupId);
                if (there.Kind != FileKind.Directory || there.Mode != wanted.Mode || !isOwned)
                {
                    throw new RefusedException(Error.FailedPrecondition(
                        $"mkdir target \"{wanted.Path}\" exists and is {(there.Kind == FileKind.Directory ? "of another mode or owner" : "not a directory")}"));
                }

                return;
            }

            parent.TryCreateDirectory(name, wanted.Mode);
            if (wanted.Owner is { } ids)
            {
                parent.ChangeOwner(name, ids.User, ids.Group);
            }

            parent.ChangeMode(name, wanted.Mode);
        }
    }

    private Mount MakeFileSystem(Mount mount, CancellationToken cancellationToken)
    {
        (MadeFileSystem wanted, ImmutableArray<string> options) = MadeFileSystem.Of(mount.Options);
        (DirectoryHandle parent, string name) = Beneath(mount.Source, "mkfs");
        using (parent)
        {
            if (parent.TryStatus(name) is not { } there)
            {
                Format(parent, name, mount.Source, wanted, cancellationToken);
            }
            else if (there.Kind != FileKind.Regular)
            {
                throw new RefusedException(Error.FailedPrecondition($"mkfs backing file \"{mount.Source}\" exists and is not a regular file"));
            }
        }

        return mount with { Options = options };
    }

    // Under another name until it is whole: a file that is there is taken for formatted.
    private void Format(DirectoryHandle parent, string name, string source, MadeFileSystem wanted, CancellationToken cancellationToken)
    {
        (string program, ImmutableArray<string> arguments) = wanted.Command;
        string path = ProgramDirectories.Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists)
            ?? throw new RefusedException(Error.NotImplemented($"mkfs of {wanted.Type}: {program} is not installed"));
        string unfinished = $".{name}.new";
        parent.Unlink(unfinished);
        try
        {
            parent.TryCreateFile(unfinished, ImageMode, out FileHandle file);
            using (file)
            {
                file.Truncate(wanted.Size);
            }

            string target = Path.Combine(Path.GetDirectoryName(source)!, unfinished);
            var ran = (ProgramResult)run.Run(
                new KernelEffects.RunProgram(path, arguments.Add(target), ReadOnlyMemory<byte>.Empty, FormatLimit, OutputMax), cancellationToken)!;
            if (ran.Status != 0 || ran.IsTimedOut)
            {
                string why = ran.IsTimedOut ? $"took longer than {FormatLimit.TotalSeconds:0} s" : (ran.ErrorOutput + ran.Output).Trim();
                throw new RefusedException(Error.Unknown($"failed format \"{source}\": {program} failed: {why}"));
            }

            parent.Rename(unfinished, parent, name);
        }
        catch
        {
            parent.Unlink(unfinished);
            throw;
        }
    }

    // Resolved with the allowed directory as root, so that no link leads out of it.
    private (DirectoryHandle Parent, string Name) Beneath(string path, string what)
    {
        string full = path.Length > 0 && path[0] == '/' ? Path.GetFullPath(path) : "";
        foreach (string root in roots)
        {
            if (full.StartsWith(root + "/", StringComparison.Ordinal))
            {
                using DirectoryHandle handle = DirectoryHandle.Open(root);
                string below = Path.GetDirectoryName(full[(root.Length + 1)..]) ?? "";
                return (handle.OpenDirectory(below), Path.GetFileName(full));
            }
        }

        throw new RefusedException(Error.Invalid($"{what} path \"{path}\" does not lie beneath {string.Join(" or ", roots)}"));
    }
}
