// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.Shims;

/// <summary>Mounts of a root file system come before its shim and go after it, however the task ends.</summary>
public sealed class MountingShimsSpecs
{
    private static readonly Caller By = new(Principal.User(0, 0, 42, "/usr/bin/ctr"));
    private static readonly RootfsMount Wanted = new("erofs", "/layer.erofs", "", []);

    private readonly FakeShims _fakes = new();
    private readonly FakeRootfsMounts _mounts = new();
    private readonly List<string> _log = [];

    private MountingShims Shims => new(_fakes, _mounts, _log.Add);

    [Fact]
    public async Task A_shim_is_given_what_is_left_to_mount()
    {
        await Shims.CreateAsync("ns", Creation, CancellationToken.None);
        Assert.Equal(FakeRootfsMounts.Left, Assert.Single(Assert.Single(_fakes.Creations).Command.Rootfs));
        Assert.Equal(["activate ns/c"], _mounts.Calls);
    }

    [Fact]
    public async Task A_task_for_which_nothing_was_mounted_has_nothing_undone()
    {
        _mounts.IsNeeded = false;
        CreatedShim created = await Shims.CreateAsync("ns", Creation, CancellationToken.None);
        await created.Shim.DeleteAsync(CancellationToken.None);
        Assert.Equal(Wanted, Assert.Single(Assert.Single(_fakes.Creations).Command.Rootfs));
        Assert.Equal(["activate ns/c"], _mounts.Calls);
    }

    [Fact]
    public async Task What_cannot_be_mounted_starts_no_shim()
    {
        _mounts.Refusal = Error.Invalid("mount template");
        await Assert.ThrowsAsync<RefusedException>(() => Shims.CreateAsync("ns", Creation, CancellationToken.None));
        Assert.Empty(_fakes.Creations);
    }

    [Fact]
    public async Task A_shim_that_does_not_start_leaves_nothing_mounted()
    {
        _fakes.CreateError = Error.Unknown("no shim");
        Assert.Equal("no shim", (await Assert.ThrowsAsync<RefusedException>(() => Shims.CreateAsync("ns", Creation, CancellationToken.None))).Error.Text);
        Assert.Equal(["activate ns/c", "deactivate ns/c"], _mounts.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deletion_unmounts_also_after_a_restart_of_the_daemon(bool isRestarted)
    {
        CreatedShim created = await Shims.CreateAsync("ns", Creation, CancellationToken.None);
        IShim shim = isRestarted ? (await Shims.LoadAsync("ns", "c", CancellationToken.None))! : created.Shim;
        await shim.DeleteAsync(CancellationToken.None);
        Assert.Equal(["activate ns/c", "deactivate ns/c"], _mounts.Calls);
    }

    [Fact]
    public async Task What_is_taken_back_or_cleaned_up_after_is_unmounted()
    {
        await Shims.UndoAsync("ns", "c", "io.containerd.runc.v2", CancellationToken.None);
        await Shims.CleanUpAsync("ns", "c", CancellationToken.None);
        Assert.Equal(["deactivate ns/c", "deactivate ns/c"], _mounts.Calls);
    }

    [Fact]
    public async Task What_is_still_in_use_does_not_hold_up_the_end_of_a_task()
    {
        CreatedShim created = await Shims.CreateAsync("ns", Creation, CancellationToken.None);
        _mounts.Refusal = Error.Unavailable("umount2 /t/1/0: device or resource busy (EBUSY)");
        await created.Shim.DeleteAsync(CancellationToken.None);
        Assert.Equal(
            "mounts of task ns/c are left to garbage collection: umount2 /t/1/0: device or resource busy (EBUSY): unavailable", Assert.Single(_log));
    }

    private static TaskCreation Creation { get; } = new(
        new TaskCommands.Create("ns", "c", [Wanted], new ProcessStdio("", "", "", false), By),
        new ContainerRecord("c") { RuntimeName = "io.containerd.runc.v2" },
        "/bundle");
}
