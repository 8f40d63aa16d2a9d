// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Linux.Tests.Files;

public sealed class DirectoryHandleSpecs : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("files-specs-").FullName;

    public void Dispose()
    {
        using DirectoryHandle parent = DirectoryHandle.Open(Path.GetDirectoryName(_path)!);
        parent.RemoveTree(Path.GetFileName(_path));
    }

    [Theory]
    [InlineData(new byte[] { (byte)'a', 0xE9, (byte)'b' })]
    [InlineData(new byte[] { 0xC3, 0xA9, 0xFF, 0xF0, 0x9F, 0x98, 0x80 })]
    [InlineData(new byte[] { 0xED, 0xB2, 0x80 })]
    public void Names_of_any_bytes_survive_as_texts(byte[] name)
    {
        string text = FileNames.Decode(name);
        Assert.Equal(name, FileNames.Encode(text));
        using DirectoryHandle directory = DirectoryHandle.Open(_path);
        directory.TryCreateDirectory(text, 0x1C0);
        Assert.Equal([text], directory.List());
    }

    [Fact]
    public void Links_and_dots_do_not_lead_out_of_the_root()
    {
        using DirectoryHandle directory = DirectoryHandle.Open(_path);
        directory.TryCreateDirectory("etc", 0x1C0);
        directory.TryCreateSymbolicLink("out", "/etc");
        directory.TryCreateSymbolicLink("up", "../../../../etc");
        ulong inode = directory.Status("etc").Inode;
        foreach (string path in (string[])["out", "up", "../../etc", "/etc"])
        {
            using DirectoryHandle found = directory.OpenDirectory(path);
            Assert.Equal(inode, found.Status().Inode);
        }

        Assert.Equal("ENOTDIR", Assert.Throws<LinuxException>(() => directory.OpenChild("out")).Error.Name);
    }

    [Fact]
    public void Removing_a_tree_leaves_what_its_links_point_to()
    {
        using DirectoryHandle directory = DirectoryHandle.Open(_path);
        Directory.CreateDirectory($"{_path}/kept/inner");
        Directory.CreateDirectory($"{_path}/gone/deep/deeper");
        directory.TryCreateSymbolicLink("gone/link", $"{_path}/kept");
        directory.RemoveTree("gone");
        directory.RemoveTree("gone");

        Assert.Equal(["kept"], directory.List());
        Assert.True(Directory.Exists($"{_path}/kept/inner"));
    }

    [Fact]
    public void A_failure_names_call_reason_and_path()
    {
        LinuxError error = Assert.Throws<LinuxException>(() => DirectoryHandle.Open($"{_path}/none")).Error;
        Assert.Equal($"open {_path}/none: no such file or directory (ENOENT)", error.ToString());
    }
}
