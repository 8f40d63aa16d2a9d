// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;

namespace Containerd.Actors.Benchmarks.Images;

/// <summary>The least that a container can run: a static busybox and the names of what it can do.</summary>
internal static class Busybox
{
    private const string Program = "/bin/busybox";
    private const UnixFileMode Executable = (UnixFileMode)0x1ED; // rwxr-xr-x

    private static readonly string[] Directories = ["bin", "dev", "etc", "proc", "sys", "tmp"];
    private static readonly string[] Applets = ["sh", "true", "sleep", "cat", "echo", "ls"];

    /// <summary>Writes it into a directory, which is made.</summary>
    public static void WriteTo(string root)
    {
        foreach (string directory in Directories)
        {
            Directory.CreateDirectory(Path.Combine(root, directory));
        }

        File.Copy(Program, Path.Combine(root, "bin", "busybox"), overwrite: true);
        foreach (string applet in Applets)
        {
            File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
        }
    }

    /// <summary>Writes it as a layer.</summary>
    public static void WriteTo(TarWriter layer)
    {
        foreach (string directory in Directories)
        {
            layer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, directory + "/") { Mode = Executable });
        }

        using FileStream program = File.OpenRead(Program);
        layer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "bin/busybox") { Mode = Executable, DataStream = program });
        foreach (string applet in Applets)
        {
            layer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, $"bin/{applet}") { LinkName = "busybox" });
        }
    }
}
