// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Pids;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Tests.Pids;

public sealed class PidFdSpecs
{
    private const int SIGKILL = 9;

    [Fact]
    public void A_child_is_signalled_by_descriptor_and_its_end_is_seen()
    {
        using Process child = Process.Start("sleep", ["1000"]);
        using SafeFileHandle pidfd = PidFd.Open(child.Id);
        Assert.False(PidFd.HasExited(pidfd, TimeSpan.Zero));

        PidFd.Signal((int)pidfd.DangerousGetHandle(), SIGKILL);

        Assert.True(PidFd.HasExited(pidfd, TimeSpan.FromSeconds(10)));
        child.WaitForExit();
        LinuxException gone = Assert.Throws<LinuxException>(() => PidFd.Signal((int)pidfd.DangerousGetHandle(), 0));
        Assert.Equal(("pidfd_send_signal", "ESRCH"), (gone.Error.Call, gone.Error.Name));
        int? status = PidFd.ExitStatus(pidfd);
        Assert.True(status is null or SIGKILL, $"status is {status}");
    }

    [Fact]
    public void A_child_is_killed_by_number()
    {
        using Process child = Process.Start("sleep", ["1000"]);

        PidFd.Kill(child.Id, SIGKILL);

        child.WaitForExit();
        Assert.Equal(128 + SIGKILL, child.ExitCode);
    }

    [Fact]
    public void A_process_that_is_not_there_fails_by_name()
    {
        LinuxException failure = Assert.Throws<LinuxException>(() => PidFd.Open(4_194_303));

        Assert.Equal("pidfd_open pid 4194303: no such process (ESRCH)", failure.Error.ToString());
    }
}
