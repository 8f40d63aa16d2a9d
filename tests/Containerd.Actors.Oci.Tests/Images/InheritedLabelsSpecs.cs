// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Oci.Tests.Images;

public sealed class InheritedLabelsSpecs
{
    [Fact]
    public void A_container_gets_its_images_own_labels_and_none_that_say_what_becomes_of_it()
    {
        Dictionary<string, string> labels = new()
        {
            ["who"] = "me",
            ["containerd.io/gc.root"] = "x",
            ["io.cri-containerd.kind"] = "y",
            ["containerd-actors/auto-remove"] = "true",
            ["long"] = new string('x', 5000),
        };

        Assert.Equal(["who"], InheritedLabels.Of(new ContainerConfig { Labels = labels }).Select(label => label.Key));
    }

    [Fact]
    public void The_stop_signal_of_an_image_is_a_label_of_its_containers() => Assert.Equal(
        [KeyValuePair.Create(InheritedLabels.StopSignal, "SIGINT")], InheritedLabels.Of(new ContainerConfig { StopSignal = "SIGINT" }));
}
