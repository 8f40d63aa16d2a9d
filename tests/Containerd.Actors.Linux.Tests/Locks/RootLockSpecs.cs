// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Locks;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Linux.Tests.Locks;

public sealed class RootLockSpecs : IDisposable
{
    private readonly Scratch _scratch = new();

    private string Path => System.IO.Path.Combine(_scratch.Root, "lock");

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_second_holder_is_refused_until_the_first_lets_go()
    {
        using (RootLock.Acquire(Path))
        {
            RefusedException refused = Assert.Throws<RefusedException>(() => RootLock.Acquire(Path));
            Assert.Equal(ErrorKind.FailedPrecondition, refused.Error.Kind);
            Assert.Contains(Path, refused.Error.Message, StringComparison.Ordinal);
        }

        RootLock.Acquire(Path).Dispose();
    }

    [SkippableFact]
    public void Another_process_is_kept_out()
    {
        Skip.IfNot(File.Exists("/usr/bin/flock"), "flock(1) is not installed");
        using RootLock held = RootLock.Acquire(Path);

        using var other = Process.Start("/usr/bin/flock", ["--nonblock", "--conflict-exit-code", "42", Path, "true"]);
        other.WaitForExit();

        Assert.Equal(42, other.ExitCode);
    }

    [Fact]
    public void A_missing_directory_fails_by_path()
    {
        LinuxException failure = Assert.Throws<LinuxException>(() => RootLock.Acquire(Path + "/missing/lock"));

        Assert.Equal("ENOENT", failure.Error.Name);
    }
}
