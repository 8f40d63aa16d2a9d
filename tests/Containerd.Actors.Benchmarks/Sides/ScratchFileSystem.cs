// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.TestKit.Programs;

namespace Containerd.Actors.Benchmarks.Sides;

/// <summary>A fresh ext4 with a journal, in a file, so that no side pays for what the machine's disk went through before.</summary>
internal sealed class ScratchFileSystem : IDisposable
{
    private const string Maker = "/usr/sbin/mkfs.ext4";
    private const long Bytes = 16L << 30; // Sparse: only what is written takes space.

    private readonly string _image;

    private ScratchFileSystem(string directory, string image) => (Directory, _image) = (directory, image);

    /// <summary>Where it is mounted.</summary>
    public string Directory { get; }

    /// <summary>Makes one and mounts it on this directory, which is made; its file lies beside it.</summary>
    public static async Task<ScratchFileSystem> MountAsync(string directory)
    {
        System.IO.Directory.CreateDirectory(directory);
        string image = directory + ".ext4";
        await using (FileStream file = File.Create(image))
        {
            file.SetLength(Bytes);
        }

        ScratchFileSystem made = new(directory, image);
        try
        {
            // Tables at once: the kernel would write them in the background while something is measured.
            Ran ran = await Command.RunAsync(Maker, "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-N", "1000000", image);
            if (ran.Status != 0)
            {
                throw new InvalidOperationException($"{Maker}: {ran.All}");
            }

            Mounter.Mount(new Mount("ext4", image, "", ["loop"]), directory);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Mounter.UnmountRecursive(Directory, Mounter.Detach);
        File.Delete(_image);
    }
}
