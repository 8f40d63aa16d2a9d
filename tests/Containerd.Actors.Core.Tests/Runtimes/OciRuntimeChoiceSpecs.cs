// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Runtimes;

namespace Containerd.Actors.Core.Tests.Runtimes;

public sealed class OciRuntimeChoiceSpecs
{
    [Fact]
    public void The_first_that_works_is_taken_and_the_others_are_not_tried()
    {
        OciRuntimeChoice choice = OciRuntimeChoice.Among(["crun", "runc", "youki"]);
        Assert.Equal("crun", choice.Next);
        choice = choice.After("crun", "hybrid cgroups");
        Assert.Equal("runc", choice.Next);
        choice = choice.After("runc", null);
        Assert.Equal(("runc", null), (choice.Chosen, choice.Next));
        Assert.Equal("OCI runtime is runc; crun does not work: hybrid cgroups", choice.ToString());
    }

    [Fact]
    public void A_single_one_is_what_is_wanted_and_is_not_tried() =>
        Assert.Equal(("/opt/crun", null), (OciRuntimeChoice.Among(["/opt/crun"]).Chosen, OciRuntimeChoice.Among(["/opt/crun"]).Next));

    [Fact]
    public void Where_none_works_it_is_left_to_the_shim_and_said_why()
    {
        OciRuntimeChoice choice = OciRuntimeChoice.Among(["crun", "runc"]).After("crun", "not installed").After("runc", "no cgroups");
        Assert.Equal(("", null), (choice.Chosen, choice.Next));
        Assert.Equal(
            "no OCI runtime was found to work, shims use their own default; crun does not work: not installed; runc does not work: no cgroups",
            choice.ToString());
    }

    [Fact]
    public void Without_candidates_there_is_nothing_to_choose() => Assert.Null(OciRuntimeChoice.Among([]).Next);
}
