// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Cgroups;
using Containerd.Actors.Linux.Executor;

namespace Containerd.Actors.Linux.Tests.Executor;

public sealed class LinuxEffectRunnerSpecs : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly LinuxEffectRunner _runner = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Directories_are_made_renamed_and_removed()
    {
        string from = Path.Combine(_scratch.Root, "a/b/c");
        string to = Path.Combine(_scratch.Root, "d");

        Run(new Effects.CreateDirectory(from, 0b111_001_001));
        Run(new Effects.CreateDirectory(from, 0b111_001_001));
        Assert.Equal((UnixFileMode)0b111_001_001, new DirectoryInfo(from).UnixFileMode);
        Run(new Effects.Rename(from, to));
        Assert.True(Directory.Exists(to));
        Run(new Effects.RemoveTree(to));

        Assert.False(Directory.Exists(to));
    }

    [Fact]
    public void A_directory_in_place_of_a_file_fails_by_path()
    {
        string file = Scratch.FileIn(_scratch.Root, "file");

        LinuxException failure = Assert.Throws<LinuxException>(() => Run(new Effects.CreateDirectory(file, 0b111_000_000)));

        Assert.Equal(("EEXIST", file), (failure.Error.Name, failure.Error.Path));
    }

    [Fact]
    public void Processes_are_opened_and_their_cgroups_read()
    {
        using var pidfd = Assert.IsType<IDisposable>(Run(new Effects.OpenPidFd(Environment.ProcessId)), exactMatch: false);

        Assert.IsType<CgroupReading>(Run(new Effects.ReadCgroup(Environment.ProcessId)));
    }

    [Fact]
    public void Only_effects_of_core_are_known()
    {
        Assert.True(_runner.Runs(new Effects.Kill(1, 0)));
        Assert.False(_runner.Runs(new Unknown()));
    }

    private object? Run(Effect effect) => _runner.Run(effect, CancellationToken.None);

    private sealed record Unknown : Effect
    {
        public override LaneKind Lane => LaneKind.Bulk;

        public override string Subject => "nothing";
    }
}
