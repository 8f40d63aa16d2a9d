// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;

namespace Containerd.Actors.Core.Tests.Mounts;

public sealed class MountPlanSpecs
{
    [Theory]
    [InlineData("")]
    [InlineData("bind")]
    [InlineData("overlay")]
    [InlineData("bind overlay tmpfs")]
    [InlineData("fuse.sshfs")]
    [InlineData("unknown/overlay")]
    public void What_every_client_can_mount_is_not_planned(string types) => Assert.Null(MountPlan.Of(Of(types)));

    [Theory]
    [InlineData("erofs", 1, 0)]
    [InlineData("loop ext4", 1, 1)]
    [InlineData("erofs erofs format/overlay", 2, 1)]
    [InlineData("bind format/bind", 1, 1)]
    [InlineData("format/overlay", 0, 1)]
    [InlineData("mkdir/bind bind tmpfs", 0, 3)]
    [InlineData("tmpfs erofs bind", 2, 1)]
    [InlineData("mkfs/loop format/ext4", 1, 1)]
    [InlineData("format/erofs", 1, 0)]
    public void The_daemon_mounts_up_to_the_last_mount_that_needs_it(string types, int held, int system)
    {
        MountPlan plan = MountPlan.Of(Of(types))!;
        Assert.Equal((held, system), (plan.Held.Length, plan.System.Length));
    }

    [Theory]
    [InlineData("bind", 1)]
    [InlineData("tmpfs overlay", 2)]
    [InlineData("erofs format/overlay", 2)]
    public void All_of_a_temporary_one_is_mounted(string types, int held)
    {
        MountPlan plan = MountPlan.Of(Of(types), isTemporary: true)!;
        Assert.Equal((held, 0), (plan.Held.Length, plan.System.Length));
    }

    [Fact]
    public void Nothing_is_nothing_even_for_a_while() => Assert.Null(MountPlan.Of([], isTemporary: true));

    [Fact]
    public void Prefixes_are_taken_off_in_their_order()
    {
        PlannedMount mount = Assert.Single(MountPlan.Of(Of("format/mkdir/overlay"))!.System);
        Assert.Equal([MountTransform.Format, MountTransform.MakeDirectory], mount.Transforms.AsEnumerable());
        Assert.Equal("overlay", mount.Mount.Type);
    }

    [Fact]
    public void A_prefix_behind_an_unknown_one_is_left_alone() =>
        Assert.Equal("unknown/mkdir/bind", Assert.Single(MountPlan.Of(Of("format/unknown/mkdir/bind"))!.System).Mount.Type);

    [Theory]
    [InlineData("mkfs/loop", true)]
    [InlineData("mkfs/ext4 format/mkdir/bind", true)]
    [InlineData("erofs format/overlay", false)]
    public void Making_a_file_system_is_slow(string types, bool isSlow) => Assert.Equal(isSlow, MountPlan.Of(Of(types))!.IsSlow);

    private static ImmutableArray<Mount> Of(string types) =>
        [.. types.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(type => new Mount(type, "source", "", []))];
}
