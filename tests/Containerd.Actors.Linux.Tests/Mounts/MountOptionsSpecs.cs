// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Linux.Tests.Mounts;

public sealed class MountOptionsSpecs
{
    [Theory]
    [InlineData("ro", 1, 0, "")]
    [InlineData("ro rw", 0, 0, "")]
    [InlineData("nosuid nodev noexec", 14, 0, "")]
    [InlineData("bind", 4096, 0, "")]
    [InlineData("rbind ro", 4096 + 16384 + 1, 0, "")]
    [InlineData("noatime atime", 0, 0, "")]
    [InlineData("rbind rprivate", 4096 + 16384, (1 << 18) + 16384, "")]
    [InlineData("shared", 0, 1 << 20, "")]
    [InlineData("lowerdir=/a:/b index=off ro", 1, 0, "lowerdir=/a:/b,index=off")]
    [InlineData("X-containerd.mkdir.path=/a size=1m", 0, 0, "size=1m")]
    [InlineData("defaults", 0, 0, "")]
    public void Options_are_told_apart(string options, ulong flags, ulong propagation, string data)
    {
        MountOptions parsed = MountOptions.Parse(options.Split(' '));

        Assert.Equal(flags, parsed.Flags);
        Assert.Equal(propagation, parsed.Propagation);
        Assert.Equal(data, string.Join(',', parsed.Data));
    }

    [Fact]
    public void Id_mappings_are_parsed()
    {
        MountOptions parsed = MountOptions.Parse(["uidmap=0:1000:1,1:100000:65535", "gidmap=0:7:10"]);

        Assert.Equal([new IdMapping(0, 1000, 1), new IdMapping(1, 100000, 65535)], parsed.UidMap.ToArray());
        Assert.Equal([new IdMapping(0, 7, 10)], parsed.GidMap.ToArray());
    }

    [Theory]
    [InlineData("ro loop", true)]
    [InlineData("ro loop=x", false)]
    public void A_loop_device_is_an_option_and_not_data(string options, bool isLoop)
    {
        MountOptions parsed = MountOptions.Parse(options.Split(' '));

        Assert.Equal(isLoop, parsed.IsLoop);
        Assert.DoesNotContain("loop", parsed.Data);
    }

    [Theory]
    [InlineData("uidmap=0:1000:1")]
    [InlineData("uidmap=0:1000 gidmap=0:0:1")]
    [InlineData("uidmap=a:b:c gidmap=0:0:1")]
    [InlineData("uidmap=0:0:0 gidmap=0:0:1")]
    public void Malformed_options_are_refused(string options) =>
        Assert.Throws<RefusedException>(() => MountOptions.Parse(options.Split(' ')));
}
