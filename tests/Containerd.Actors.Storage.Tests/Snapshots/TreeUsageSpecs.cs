// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Storage.Tests.Snapshots;

public sealed class TreeUsageSpecs : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Of_a_copy_only_its_root_and_what_is_new_or_changed_counts()
    {
        string origin = _directory.Make("origin");
        File.WriteAllBytes(Path.Combine(origin, "same"), new byte[1 << 20]);

        // The same tree under another name has the same inodes, as a snapshot of a subvolume has.
        Assert.Equal(1, TreeUsage.Of(origin, origin).Inodes);
        string before = _directory.Make("before");
        SnapshotUsage all = TreeUsage.Of(origin, before);
        Assert.Equal(2, all.Inodes);
        Assert.InRange(all.Size, 1 << 20, 2 << 20);
        Assert.Equal(TreeUsage.Of(origin), all);
    }
}
