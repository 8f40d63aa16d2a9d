// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Security.Cryptography;
using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Tests;

/// <summary>A tree as lines of text, one per name, with all that a layer carries.</summary>
internal static class TreeListing
{
    public static string Of(string path, bool nanoseconds = true)
    {
        List<string> lines = [];
        Dictionary<(ulong, ulong), string> inodes = [];
        using DirectoryHandle root = DirectoryHandle.Open(path);
        Walk(root, "", lines, inodes, nanoseconds);
        return string.Join('\n', lines);
    }

    public static void Shell(string command)
    {
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", command]) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command}: {errors}");
    }

    private static void Walk(
        DirectoryHandle directory, string path, List<string> lines, Dictionary<(ulong, ulong), string> inodes, bool nanoseconds)
    {
        foreach (string name in directory.List())
        {
            FileStatus status = directory.Status(name);
            string child = $"{path}/{name}";
            string content = status.Kind switch
            {
                FileKind.SymbolicLink => directory.ReadLink(name),
                FileKind.Regular => Hash(directory, name, status.Size),
                FileKind.CharacterDevice or FileKind.BlockDevice => $"{status.DeviceMajor}:{status.DeviceMinor}",
                _ => "",
            };
            string attributes = string.Join(
                ',', directory.ListAttributes(name).Select(key => $"{key}={Convert.ToHexString(directory.TryAttribute(name, key)!)}"));
            string same = status.Kind == FileKind.Directory || inodes.TryAdd((status.Device, status.Inode), child)
                ? ""
                : $"same as {inodes[(status.Device, status.Inode)]}";
            string time = nanoseconds ? $"{status.ModifiedAt}" : $"{status.ModifiedAt.Seconds}";
            lines.Add($"{child} {status.Kind} {Convert.ToString(status.Mode, 8)} {status.UserId}:{status.GroupId} {time} {content} {attributes} {same}");
            if (status.Kind == FileKind.Directory)
            {
                using DirectoryHandle inner = directory.OpenChild(name);
                Walk(inner, child, lines, inodes, nanoseconds);
            }
        }
    }

    private static string Hash(DirectoryHandle directory, string name, long size)
    {
        using FileHandle file = directory.OpenFile(name);
        byte[] content = new byte[size];
        int read = 0;
        while (read < size)
        {
            read += file.ReadAt(read, content.AsSpan(read));
        }

        return $"{size} {Convert.ToHexString(SHA256.HashData(content))}";
    }
}
