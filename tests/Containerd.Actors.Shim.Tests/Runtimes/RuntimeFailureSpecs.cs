// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Runtimes;

namespace Containerd.Actors.Shim.Tests.Runtimes;

public sealed class RuntimeFailureSpecs
{
    [Fact]
    public void The_last_error_of_the_log_is_the_reason()
    {
        const string log = """
            {"level":"warning","msg":"unimportant","time":"t"}
            {"level":"error","msg":"first","time":"t"}
            not json
            {"level":"error","msg":"runc create failed: no such file","time":"t"}
            {"level":"info","msg":"after"}
            """;
        Assert.Equal("runc create failed: no such file", RuntimeFailure.LastError(log));
        Assert.Null(RuntimeFailure.LastError("{}\n[1]\n"));
    }

    [Fact]
    public void Without_a_log_what_was_printed_is_the_reason_and_without_that_the_status()
    {
        string none = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
        Assert.Equal("no", RuntimeFailure.Text(none, new ProcessResult(new ProcessExit(1, 0), "out"u8.ToArray(), "no\n"u8.ToArray(), false)));
        Assert.Equal("exit status 1", RuntimeFailure.Text(none, new ProcessResult(new ProcessExit(1, 0), [], [], false)));
    }

    [Theory]
    [InlineData("container not running", true)]
    [InlineData("os: process already finished", true)]
    [InlineData("kill container: No such process", true)]
    [InlineData("container does not exist", true)]
    [InlineData("permission denied", false)]
    public void Words_for_a_process_that_is_gone_are_known(string text, bool isGone) => Assert.Equal(isGone, RuntimeFailure.SaysGone(text));
}
