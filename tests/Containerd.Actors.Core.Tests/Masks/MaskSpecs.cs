// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Masks;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using static Containerd.Actors.Core.Tests.Namespaces.Samples;

namespace Containerd.Actors.Core.Tests.Masks;

public sealed class MaskSpecs
{
    private static readonly ImageRecord Image = new("a", Target(1), Labels(("k", "v"), ("*", "star")), Now, Now);

    [Fact]
    public void Without_a_mask_labels_are_replaced() => Assert.Equal(Labels(("n", "1")), Content(Labels(("n", "1"), ("empty", "")), []));

    [Fact]
    public void A_label_that_is_named_and_absent_is_removed() => Assert.Equal(Labels(("*", "star")), Content(Labels(), ["labels.k"]));

    [Fact]
    public void A_star_is_the_name_of_a_label() => Assert.Equal(Labels(("k", "v")), Content(Labels(), ["labels.*"]));

    [Fact]
    public void What_follows_the_first_dot_is_the_name() => Assert.Equal(
        Labels(("k", "v"), ("*", "star"), ("a.b/c", "1")), Content(Labels(("a.b/c", "1")), ["labels.a.b/c"]));

    [Fact]
    public void Other_fields_of_content_are_refused() => Assert.Equal(
        "cannot update \"size\" field on content info \"sha256:x\": invalid argument",
        Refusal(LabelMask.Content("sha256:x", Image.Labels, Labels(), ["size"])));

    [Fact]
    public void Other_fields_of_snapshots_are_refused() => Assert.Equal(
        "cannot update \"kind\" field on snapshot \"s\": invalid argument",
        Refusal(LabelMask.Snapshot("s", Image.Labels, Labels(), ["kind"])));

    [Fact]
    public void Other_fields_of_images_are_refused() => Assert.Equal(
        "cannot update \"name\" field on image \"a\": invalid argument",
        Refusal(ImageMask.Apply(Image, Target(2), Labels(), ["name"])));

    [Fact]
    public void A_target_is_replaced_alone()
    {
        ImageRecord image = ImageMask.Apply(Image, Target(2), Labels(), ["target"]).Value;
        Assert.Equal(Target(2), image.Target);
        Assert.Equal(Image.Labels, image.Labels);
    }

    [Fact]
    public void One_annotation_is_set_and_removed()
    {
        ImageRecord image = ImageMask.Apply(
            Image, Target(2) with { Annotations = Labels(("a", "1"), ("b", "2")) }, Labels(), ["annotations.a"]).Value;
        Assert.Equal(Labels(("a", "1")), image.Target.Annotations);
        Assert.Equal(Image.Target.Digest, image.Target.Digest);
        Assert.Null(ImageMask.Apply(image, Target(2), Labels(), ["annotations.a"]).Value.Target.Annotations);
    }

    [Theory]
    [InlineData("other", "runc", "container.Snapshotter field is immutable: invalid argument")]
    [InlineData("overlayfs", "other", "container.Runtime.Name field is immutable: invalid argument")]
    public void A_container_keeps_snapshotter_and_runtime(string snapshotter, string runtime, string error)
    {
        var stored = new ContainerRecord("c") { Snapshotter = "overlayfs", RuntimeName = "runc" };
        Assert.Equal(error, Refusal(ContainerMask.Apply(stored, stored with { Snapshotter = snapshotter, RuntimeName = runtime }, [])));
    }

    [Fact]
    public void Extensions_of_a_container_are_only_added()
    {
        var one = new AnyValue("t", new byte[] { 1 });
        var two = new AnyValue("t", new byte[] { 2 });
        var stored = new ContainerRecord("c").WithExtension("a", one);
        ContainerRecord updated = ContainerMask.Apply(stored, new ContainerRecord("c").WithExtension("b", two), ["extensions"]).Value;
        Assert.Equal(["a", "b"], updated.Extensions.Keys);
        Assert.Equal(two, ContainerMask.Apply(updated, new ContainerRecord("c").WithExtension("a", two), ["extensions.a"]).Value.Extensions["a"]);
        Assert.Equal(
            "cannot update \"runtime\" field on \"c\": invalid argument",
            Refusal(ContainerMask.Apply(stored, stored, ["runtime"])));
    }

    private static ImmutableSortedDictionary<string, string> Content(
        ImmutableSortedDictionary<string, string> wanted, ImmutableArray<string> mask) =>
        LabelMask.Content("sha256:x", Image.Labels, wanted, mask).Value;

    private static string Refusal<T>(Reply<T> reply) => Assert.IsType<Refused<T>>(reply).Error.Text;
}

file static class Extensions
{
    public static ContainerRecord WithExtension(this ContainerRecord container, string name, AnyValue value) =>
        container with { Extensions = container.Extensions.SetItem(name, value) };
}
