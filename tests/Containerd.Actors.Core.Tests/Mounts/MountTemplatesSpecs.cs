// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Tests.Mounts;

public sealed class MountTemplatesSpecs
{
    private static readonly ActiveMount[] Active =
    [
        .. Enumerable.Range(0, 3).Select(place => new ActiveMount(new Mount("erofs", $"/s{place}", $"t{place}", []), $"/m/{place}", DateTimeOffset.UnixEpoch)),
    ];

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("{{ source 1 }}", "/s1")]
    [InlineData("{{target 2}}", "t2")]
    [InlineData("upperdir={{ mount 0 }}/upper", "upperdir=/m/0/upper")]
    [InlineData("lowerdir={{ overlay 0 2 }}", "lowerdir=/m/0:/m/1:/m/2")]
    [InlineData("lowerdir={{ overlay 2 1 }}", "lowerdir=/m/2:/m/1")]
    [InlineData("lowerdir={{ overlay 1 1 }}", "lowerdir=/m/1")]
    [InlineData("{{ mount 0 }}:{{ mount 1 }}", "/m/0:/m/1")]
    [InlineData("{ {mount 0} }", "{ {mount 0} }")]
    public void Templates_are_filled_in(string text, string filled) => Assert.Equal(filled, MountTemplates.Fill(text, Active));

    [Theory]
    [InlineData("{{ mount 3 }}", "index out of bounds: 3, has 3 active mounts")]
    [InlineData("{{ mount -1 }}", "index out of bounds: -1, has 3 active mounts")]
    [InlineData("{{ overlay 0 3 }}", "invalid range: 0-3, has 3 active mounts")]
    [InlineData("{{ overlay 3 0 }}", "invalid range: 3-0, has 3 active mounts")]
    [InlineData("{{ overlay -1 0 }}", "invalid range: -1-0, has 3 active mounts")]
    [InlineData("{{ overlay 0 }}", "wrong number of args for overlay")]
    [InlineData("{{ mount x }}", "\"x\" is not a number")]
    [InlineData("{{ mount 99999999999 }}", "\"99999999999\" is not a number")]
    [InlineData("{{ exec 0 }}", "function \"exec\" not defined")]
    [InlineData("{{ }}", "missing value for command")]
    [InlineData("{{ mount 0", "unclosed action")]
    public void What_cannot_be_filled_in_is_refused_by_name(string text, string why) => Assert.Equal(
        $"mount template \"{text}\": {why}: invalid argument",
        Assert.Throws<RefusedException>(() => MountTemplates.Fill(text, Active)).Error.Text);

    [Fact]
    public void Source_target_and_every_option_are_filled_in()
    {
        Mount filled = MountTemplates.Fill(new Mount("overlay", "{{ source 0 }}", "{{ target 1 }}", ["ro", "lowerdir={{ mount 2 }}"]), Active);
        Assert.Equal(("overlay", "/s0", "t1"), (filled.Type, filled.Source, filled.Target));
        Assert.Equal(["ro", "lowerdir=/m/2"], filled.Options.AsEnumerable());
    }
}
