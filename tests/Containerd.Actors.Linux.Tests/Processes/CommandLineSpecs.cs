// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Processes;

namespace Containerd.Actors.Linux.Tests.Processes;

public sealed class CommandLineSpecs
{
    private static string[] Shown => File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0');

    [Fact]
    public void Others_see_the_arguments_that_are_shown()
    {
        string[] before = Shown;
        try
        {
            Assert.True(CommandLine.TryShow(["a", "-id", "é"]));
            Assert.Equal(["a", "-id", "é"], Shown);
        }
        finally
        {
            Assert.True(CommandLine.TryShow(before));
        }

        Assert.Equal(before, Shown);
    }

    [Fact]
    public void More_than_there_is_room_for_is_not_shown()
    {
        string[] before = Shown;
        Assert.False(CommandLine.TryShow([.. before, "x", "y"]));
        Assert.Equal(before, Shown);
    }
}
