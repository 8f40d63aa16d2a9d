// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Storage.Checkpoints;

/// <summary>Directories in which images of processes wait to become content.</summary>
/// <remarks>They are as large as the memory of what they show; hence they lie on the disk, and never outlive the daemon that made them.</remarks>
public sealed class CheckpointDirectories
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly string _root;

    private CheckpointDirectories(string root) => _root = root;

    /// <summary>Opens the place; what an earlier daemon left is removed.</summary>
    public static CheckpointDirectories Open(string root)
    {
        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }

        Directory.CreateDirectory(root, Private);
        return new CheckpointDirectories(root);
    }

    /// <summary>Makes a directory with two empty ones in it, for nothing and for the image.</summary>
    public Task<CheckpointDirectory> MakeAsync(CancellationToken cancellation) => Task.Run(
        () =>
        {
            string path = Path.Combine(_root, Guid.NewGuid().ToString("n"));
            CheckpointDirectory made = new(path, Path.Combine(path, "nothing"), Path.Combine(path, "image"));
            Directory.CreateDirectory(path, Private);
            Directory.CreateDirectory(made.Nothing, Private);
            Directory.CreateDirectory(made.Image, Private);
            return made;
        },
        cancellation);

    /// <summary>Removes a directory with all that is in it.</summary>
    public static Task RemoveAsync(CheckpointDirectory directory) => Task.Run(() => Directory.Delete(directory.Path, recursive: true));
}

/// <summary>Where the image of one task's processes is written.</summary>
/// <param name="Path">The directory that holds both others.</param>
/// <param name="Nothing">An empty directory, with which the image is compared.</param>
/// <param name="Image">Where the runtime writes.</param>
public sealed record CheckpointDirectory(string Path, string Nothing, string Image);
