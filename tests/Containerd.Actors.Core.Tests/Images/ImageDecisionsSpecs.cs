// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using static Containerd.Actors.Core.Tests.Namespaces.Samples;

namespace Containerd.Actors.Core.Tests.Images;

public sealed class ImageDecisionsSpecs
{
    private static readonly NamespaceState One = Empty.Then(Empty.Decide(Create("a", Target(1)), Now));

    [Fact]
    public void A_name_is_made_once() => Assert.Equal("image \"a\": already exists", One.Decide(Create("a", Target(2)), Now).Refusal());

    [Theory]
    [InlineData("", "type", 1, "Image.Name required")]
    [InlineData("b", "type", 0, "Target.Size must be greater than zero: invalid argument")]
    [InlineData("b", "", 1, "Target.MediaType must be set: invalid argument")]
    public void An_image_needs_a_name_and_a_complete_target(string name, string mediaType, long size, string error) =>
        Assert.Equal(error, Empty.Decide(Create(name, new Descriptor(mediaType, Digest(1), size)), Now).Refusal());

    [Fact]
    public void Platform_and_urls_are_not_kept()
    {
        Descriptor kept = Empty.Then(Empty.Decide(
            Create("a", Target(1) with { Platform = new Platform("linux", "amd64"), Urls = ["http://x"] }), Now)).Images["a"].Target;
        Assert.Null(kept.Platform);
        Assert.Null(kept.Urls);
    }

    [Fact]
    public void Updating_keeps_the_time_of_creation()
    {
        var update = new ImageCommands.Update(Ns, "a", Target(2), Labels(), [], null, By);
        ImageRecord image = One.Then(One.Decide(update, Now.AddHours(1))).Images["a"];
        Assert.Equal((Now, Now.AddHours(1), Target(2)), (image.CreatedAt, image.UpdatedAt, image.Target));
    }

    [Fact]
    public void The_source_date_epoch_is_the_time_that_is_written_down()
    {
        ImageRecord image = Empty.Then(Empty.Decide(Create("a", Target(1)) with { SourceDateEpoch = Now.AddYears(-1) }, Now)).Images["a"];
        Assert.Equal(Now.AddYears(-1), image.CreatedAt);
    }

    [Fact]
    public void What_does_not_exist_is_refused()
    {
        Assert.Equal("image \"x\": not found", One.Decide(new ImageCommands.Delete(Ns, "x", null, By)).Refusal());
        Assert.Equal(
            "image \"x\": not found", One.Decide(new ImageCommands.Update(Ns, "x", Target(1), Labels(), [], null, By), Now).Refusal());
    }

    [Fact]
    public void An_image_that_will_expire_is_kept_by_the_lease_of_its_maker()
    {
        NamespaceState leased = Empty.Then(Empty.Decide(new LeaseCommands.Create(Ns, "l", Labels(), By), Now));
        var create = new ImageCommands.Create(
            Ns, "a", Target(1), Labels((GarbageLabels.Expire, "2020-01-01T00:00:00Z")), null, Under("l"));
        NamespaceState state = leased.Then(leased.Decide(create, Now));
        Assert.Contains(LeaseResources.Image("a"), state.Leases["l"].Resources);
        Assert.Empty(state.Decide(new NamespaceCommands.Collect(Ns, [], By), [], Now).Events);
    }

    private static ImageCommands.Create Create(string name, Descriptor target) => new(Ns, name, target, Labels(), null, By);
}
