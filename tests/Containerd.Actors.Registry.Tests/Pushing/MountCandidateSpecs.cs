// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Registry.Pushing;

namespace Containerd.Actors.Registry.Tests.Pushing;

public sealed class MountCandidateSpecs
{
    [Theory]
    [InlineData("library/redis", "library/redis")]
    [InlineData("other/x,team/app/base,team/z", "team/app/base")]
    [InlineData("team/app/web", null)]
    [InlineData("team/app/web, other/x", "other/x")]
    [InlineData("../../secret,UPPER", null)]
    [InlineData("", null)]
    public void The_nearest_other_repository_of_the_label_is_mounted_from(string label, string? expected) => Assert.Equal(
        expected,
        MountCandidate.Of(
            ImageReference.Parse("r.test:5000/team/app/web:1"),
            new Dictionary<string, string> { [ContentLabels.DistributionSource + "r.test:5000"] = label }));

    [Fact]
    public void Repositories_of_another_registry_are_of_no_use() => Assert.Null(MountCandidate.Of(
        ImageReference.Parse("r.test/a:1"), new Dictionary<string, string> { [ContentLabels.DistributionSource + "docker.io"] = "library/redis" }));
}
