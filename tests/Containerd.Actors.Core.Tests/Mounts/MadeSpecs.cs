// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Tests.Mounts;

/// <summary>Options that ask for directories and file systems.</summary>
public sealed class MadeSpecs
{
    [Fact]
    public void Directories_are_told_from_other_options()
    {
        (ImmutableArray<MadeDirectory> directories, ImmutableArray<string> options) = MadeDirectory.Of(
            ["ro", "X-containerd.mkdir.path=/a", "X-containerd.mkdir.path=/b:0755", "X-containerd.mkdir.path=/c:1:2:3", "upperdir=/a"]);
        Assert.Equal(["ro", "upperdir=/a"], options.AsEnumerable());
        Assert.Equal(
            [new MadeDirectory("/a", 0x1C0, null), new MadeDirectory("/b", 0x1ED, null), new MadeDirectory("/c", 1, (2, 3))],
            directories.AsEnumerable());
    }

    [Theory]
    [InlineData("X-containerd.mkdir.dir=/a", "invalid mkdir option \"X-containerd.mkdir.dir=/a\"")]
    [InlineData("X-containerd.mkdir.path=/a:0755:1", "invalid mkdir option \"X-containerd.mkdir.path=/a:0755:1\"")]
    [InlineData("X-containerd.mkdir.path=/a:0955", "invalid mode 0955")]
    [InlineData("X-containerd.mkdir.path=/a:1777", "invalid mode 1777")]
    [InlineData("X-containerd.mkdir.path=/a:", "invalid mode ")]
    [InlineData("X-containerd.mkdir.path=/a:0755:x:1", "invalid uid \"x\"")]
    [InlineData("X-containerd.mkdir.path=/a:0755:1:-1", "invalid gid \"-1\"")]
    public void A_malformed_directory_is_refused(string option, string text) =>
        Assert.Equal($"{text}: invalid argument", Assert.Throws<RefusedException>(() => MadeDirectory.Of([option])).Error.Text);

    [Theory]
    [InlineData("size=1048576", "ext4", 1 << 20)]
    [InlineData("size=16m", "ext4", 16 << 20)]
    [InlineData("size=16MiB fs=ext2", "ext2", 16 << 20)]
    [InlineData("size=1.5Kb fs=xfs", "xfs", 1536)]
    [InlineData("fs=ext3 size=1g", "ext3", 1L << 30)]
    public void A_file_system_has_a_type_and_a_size(string options, string type, long size)
    {
        (MadeFileSystem made, ImmutableArray<string> left) = MadeFileSystem.Of(Prefixed(options).Add("rw"));
        Assert.Equal(new MadeFileSystem(type, size, ""), made);
        Assert.Equal("rw", Assert.Single(left));
    }

    [Theory]
    [InlineData("fs=ext4", "mkfs requires mkfs.size option")]
    [InlineData("size=0", "bad option size: \"0\" is no size")]
    [InlineData("size=-1", "bad option size: \"-1\" is no size")]
    [InlineData("size=many", "bad option size: \"many\" is no size")]
    [InlineData("size=1z", "bad option size: \"1z\" is no size")]
    [InlineData("size=1m fs=btrfs", "unsupported filesystem \"btrfs\"")]
    [InlineData("size=1m label=x", "unknown mount option label")]
    [InlineData("size=1m uuid=-L", "bad option uuid: \"-L\" is none")]
    public void A_malformed_file_system_is_refused(string options, string text) =>
        Assert.Equal($"{text}: invalid argument", Assert.Throws<RefusedException>(() => MadeFileSystem.Of(Prefixed(options))).Error.Text);

    [Theory]
    [InlineData("size=1m", "mkfs.ext4 -q")]
    [InlineData("size=1m uuid=0b6a3a0c-0d5c-4d3e-9d3b-0a3e8f6a6a55", "mkfs.ext4 -q -U 0b6a3a0c-0d5c-4d3e-9d3b-0a3e8f6a6a55")]
    [InlineData("size=1m fs=xfs uuid=0b6a3a0c-0d5c-4d3e-9d3b-0a3e8f6a6a55", "mkfs.xfs -q -m uuid=0b6a3a0c-0d5c-4d3e-9d3b-0a3e8f6a6a55")]
    public void Each_file_system_has_its_program(string options, string command)
    {
        (string program, ImmutableArray<string> arguments) = MadeFileSystem.Of(Prefixed(options)).FileSystem.Command;
        Assert.Equal(command, string.Join(' ', arguments.Prepend(program)));
    }

    private static ImmutableArray<string> Prefixed(string options) => [.. options.Split(' ').Select(option => "X-containerd.mkfs." + option)];
}
