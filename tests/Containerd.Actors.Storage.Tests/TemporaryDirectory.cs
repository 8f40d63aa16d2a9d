// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Tests;

/// <summary>A directory of one test, removed without following links.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("storage-specs-").FullName;

    public static bool IsRoot => Environment.IsPrivilegedProcess;

    public string Make(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        using DirectoryHandle parent = DirectoryHandle.Open(System.IO.Path.GetDirectoryName(Path)!);
        parent.RemoveTree(System.IO.Path.GetFileName(Path));
    }
}
