// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Shim.Starting;

namespace Containerd.Actors.Shim.Tests.Starting;

public sealed class ShimArgumentsSpecs
{
    [Fact]
    public void The_command_line_of_a_daemon_is_read()
    {
        ShimArguments start = ShimArguments.Parse(["-namespace", "ns", "-address", "/a.sock", "-publish-binary", "/usr/bin/d", "-id", "c1", "-debug", "start"]);
        Assert.Equal((ShimAction.Start, "ns", "c1", "/a.sock", true), (start.Action, start.Namespace, start.Id, start.Address, start.IsDebug));

        ShimArguments delete = ShimArguments.Parse(["--namespace=ns", "--id=c1", "-bundle", "/b", "delete"]);
        Assert.Equal((ShimAction.Delete, "ns", "c1", "/b"), (delete.Action, delete.Namespace, delete.Id, delete.Bundle));

        Assert.Equal(ShimAction.Serve, ShimArguments.Parse(["-namespace", "ns", "-id", "c1", "-address", "/a.sock"]).Action);
    }

    [Fact]
    public void A_shim_that_waits_needs_no_task_yet() =>
        Assert.Equal(ShimAction.Await, ShimArguments.Parse(["-room", "......", "await"]).Action);

    [Theory]
    [InlineData("-v", ShimAction.Version)]
    [InlineData("-version", ShimAction.Version)]
    [InlineData("-info", ShimAction.Info)]
    internal void Questions_need_no_task(string flag, ShimAction action) => Assert.Equal(action, ShimArguments.Parse([flag]).Action);

    [Theory]
    [InlineData("shim namespace and id cannot be empty", "start")]
    [InlineData("flag provided but not defined: -color", "-color", "red")]
    [InlineData("flag needs an argument: -id", "-namespace", "ns", "-id")]
    [InlineData("unknown action stop", "-namespace", "ns", "-id", "c1", "stop")]
    public void What_is_not_understood_is_refused(string text, params string[] arguments) =>
        Assert.Equal(text, Assert.Throws<FormatException>(() => ShimArguments.Parse(arguments)).Message);
}
