// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Oci.Tests.Archives;

public sealed class ArchiveNamesSpecs
{
    private static readonly Descriptor Target = new(MediaTypes.OciManifest, Digest.Of("m"u8), 1);

    [Theory]
    [InlineData("docker.io/library/redis:7", "7")]
    [InlineData("r.test/a@sha256:0000000000000000000000000000000000000000000000000000000000000000", "@sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("not a reference", "not a reference")]
    public void The_tag_of_a_name_is_what_stands_behind_its_repository(string name, string tag) => Assert.Equal(tag, ArchiveNames.Tag(name));

    [Theory]
    [InlineData("docker.io/library/redis:7", "redis:7")]
    [InlineData("docker.io/user/app:1", "user/app:1")]
    [InlineData("r.test:5000/a/b:1", "r.test:5000/a/b:1")]
    [InlineData("r.test/a", null)]
    [InlineData("anything", null)]
    public void Docker_gets_the_name_that_it_shows(string name, string? familiar) => Assert.Equal(familiar, ArchiveNames.Familiar(name));

    [Fact]
    public void A_named_target_has_both_annotations_and_keeps_its_own()
    {
        Descriptor named = ArchiveNames.Named(
            Target with { Annotations = ImmutableSortedDictionary<string, string>.Empty.Add("a", "b") }, "r.test/app:1");
        Assert.Equal("b", named.Annotations!["a"]);
        Assert.Equal("r.test/app:1", named.Annotations[ArchiveNames.ImageName]);
        Assert.Equal("1", named.Annotations[ArchiveNames.ReferenceName]);
    }

    // What the archive says (whole name, tag), the prefix, whether other names are taken, and the name that comes of it.
    [Theory]
    [InlineData("docker.io/library/redis:7", "7", "import", true, "docker.io/library/redis:7")]
    [InlineData("docker.io/library/redis:7", "7", "import", false, null)]
    [InlineData("r.test/app:1", null, "r.test/app", false, "r.test/app:1")]
    [InlineData("r.test/apple:1", null, "r.test/app", false, null)]
    [InlineData("7", "8", "r.test/app", true, null)]
    [InlineData(null, "7", "r.test/app", false, "r.test/app:7")]
    [InlineData(null, "r.test/other:7", "r.test/app", false, null)]
    [InlineData(null, "r.test/other:7", "r.test/app", true, "r.test/other:7")]
    [InlineData(null, "r.test/app/sub:7", "r.test/app", false, "r.test/app/sub:7")]
    [InlineData(null, null, "r.test/app", true, null)]
    public void Names_below_a_prefix_follow_containerds_rules(string? whole, string? tag, string prefix, bool takesAll, string? expected) =>
        Assert.Equal(expected, ArchiveNames.Below(Annotations(whole, tag), prefix, takesAll));

    [Fact]
    public void The_index_gets_whole_names_and_its_images_get_those_below_prefixes()
    {
        ImageNaming[] rules =
        [
            new("r.test/all:1", IsPrefix: false, AllowsOverwrite: false, AddsDigest: false, SkipsNamedDigest: false),
            new("r.test/by-digest", IsPrefix: false, AllowsOverwrite: false, AddsDigest: true, SkipsNamedDigest: false),
            new("r.test/app", IsPrefix: true, AllowsOverwrite: false, AddsDigest: true, SkipsNamedDigest: true),
            new("r.test/app", IsPrefix: true, AllowsOverwrite: false, AddsDigest: true, SkipsNamedDigest: false),
        ];
        Assert.Equal(
            ["index", "r.test/all:1", $"r.test/by-digest@{Target.Digest}"], rules.OfIndex("index", Target.Digest).AsEnumerable());
        Assert.Equal(
            ["r.test/app:1", $"r.test/app@{Target.Digest}"], rules.OfEntry(Target with { Annotations = Annotations("r.test/app:1", null) }).AsEnumerable());
        Assert.Equal([$"r.test/app@{Target.Digest}"], rules.OfEntry(Target).AsEnumerable());
        Assert.Empty(rules.Take(2).OfEntry(Target));
    }

    private static ImmutableSortedDictionary<string, string> Annotations(string? whole, string? tag)
    {
        var annotations = ImmutableSortedDictionary<string, string>.Empty;
        annotations = whole is null ? annotations : annotations.Add(ArchiveNames.ImageName, whole);
        return tag is null ? annotations : annotations.Add(ArchiveNames.ReferenceName, tag);
    }
}
