// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Oci.Tests.Images;

public sealed class PlatformSelectionSpecs
{
    private static readonly Platform Amd64 = new("linux", "amd64");
    private static readonly Platform Arm64 = new("linux", "arm64");

    private static readonly Index Index = new()
    {
        Manifests = [Of(1, Arm64), Of(2, new Platform("linux", "386")), Of(3, Amd64), Of(4, Amd64), Of(5, new Platform("unknown", "unknown")), Of(6, null)],
    };

    [Fact]
    public void Without_platforms_everything_is_wanted() => Assert.Equal([1, 2, 3, 4, 5, 6], Chosen(PlatformSelection.All));

    [Fact]
    public void Platforms_are_met_exactly_and_what_names_none_is_taken_too() =>
        Assert.Equal([3, 4, 6], Chosen(new PlatformSelection([new Platform("linux", "x86_64")])));

    [Fact]
    public void Several_platforms_keep_the_order_of_the_index() =>
        Assert.Equal([1, 3, 4, 6], Chosen(new PlatformSelection([Amd64, Arm64])));

    [Fact]
    public void A_limit_takes_the_most_wanted_first() =>
        Assert.Equal([3, 4, 1], Chosen(new PlatformSelection([Amd64, Arm64], Limit: 3)));

    [Fact]
    public void The_best_of_a_host_is_one_and_may_be_a_relative()
    {
        Assert.Equal([3], Chosen(PlatformSelection.Best(Amd64)));
        Assert.Equal([2], PlatformSelection.Best(Amd64).Choose(new Index { Manifests = [Of(1, Arm64), Of(2, new Platform("linux", "386"))] })
            .Select(manifest => (int)manifest.Size));
    }

    [Fact]
    public void What_nobody_wants_is_not_chosen() => Assert.Equal([6], Chosen(new PlatformSelection([new Platform("linux", "s390x")])));

    [Theory]
    [InlineData("10.0.1", "10.0.1", true)]
    [InlineData("10.0.1", null, true)]
    [InlineData("10.0.1", "10.0.2", false)]
    public void Versions_of_the_system_count_where_both_name_one(string left, string? right, bool same) => Assert.Equal(
        same, Platforms.Same(new Platform("windows", "amd64") { OsVersion = left }, new Platform("windows", "amd64") { OsVersion = right }));

    private static IEnumerable<int> Chosen(PlatformSelection selection) => selection.Choose(Index).Select(manifest => (int)manifest.Size);

    // Told apart by their size.
    private static Descriptor Of(int size, Platform? platform) => new(MediaTypes.OciManifest, Digest.Of([(byte)size]), size) { Platform = platform };
}
