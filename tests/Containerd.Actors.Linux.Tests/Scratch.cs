// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Linux.Trees;

namespace Containerd.Actors.Linux.Tests;

/// <summary>A directory of one test; mounts below it are undone and it is removed, also when the test failed.</summary>
internal sealed class Scratch : IDisposable
{
    // On the memory file system, which takes overlay's upper directories whatever the root is.
    public string Root { get; } = Path.Combine("/dev/shm", "linux-specs-" + Guid.NewGuid().ToString("N"));

    public Scratch() => System.IO.Directory.CreateDirectory(Root);

    public string Directory(string name) => System.IO.Directory.CreateDirectory(Path.Combine(Root, name)).FullName;

    public static string FileIn(string directory, string name, string text = "text")
    {
        string path = Path.Combine(directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose()
    {
        Mounter.UnmountRecursive(Root, Mounter.Detach);
        Tree.Remove(Root);
    }
}
