// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Mounts;

namespace Containerd.Actors.Linux.Tests.Mounts;

public sealed class MountinfoSpecs
{
    [Fact]
    public void A_line_is_parsed_with_its_optional_fields_and_escapes()
    {
        MountinfoEntry entry = Assert.Single(Mountinfo.Parse(
            "36 35 98:0 /mnt1 /mnt/a\\040b rw,noatime master:1 shared:2 - ext3 /dev/ro\\134ot rw,errors=continue\n"));

        Assert.Equal((36, 35, "98:0", "/mnt1", "/mnt/a b"), (entry.Id, entry.Parent, entry.Device, entry.Root, entry.MountPoint));
        Assert.Equal(["master:1", "shared:2"], entry.OptionalFields.ToArray());
        Assert.Equal(("ext3", "/dev/ro\\ot", "rw,errors=continue"), (entry.Type, entry.Source, entry.SuperOptions));
    }

    [Theory]
    [InlineData("")]
    [InlineData("36 35 98:0 / /mnt rw")]
    [InlineData("x 35 98:0 / /mnt rw - ext4 none rw")]
    [InlineData("36 35 98:0 / /mnt rw - ext4")]
    public void What_is_no_line_is_left_out(string text) => Assert.Empty(Mountinfo.Parse(text));

    [Theory]
    [InlineData("\\011", "\t")]
    [InlineData("a\\012b", "a\nb")]
    [InlineData("\\303\\244", "ä")]
    [InlineData("end\\04", "end\\04")]
    [InlineData("\\999", "\\999")]
    public void Octal_escapes_are_undone(string text, string expected) => Assert.Equal(expected, Mountinfo.Unescape(text));

    [Fact]
    public void The_table_of_this_process_has_a_root() => Assert.Contains(Mountinfo.Read(), entry => entry.MountPoint == "/");
}
