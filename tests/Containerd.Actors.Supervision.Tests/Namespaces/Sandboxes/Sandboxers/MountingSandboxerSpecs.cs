// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;
using Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Sandboxes.Sandboxers;

/// <summary>Mounts of a root file system come before a sandbox and go after it, however that ends.</summary>
public sealed class MountingSandboxerSpecs
{
    private static readonly RootfsMount Wanted = new("erofs", "/layer.erofs", "", []);
    private static readonly string[] Both = ["activate ns/sandbox/pod", "deactivate ns/sandbox/pod"];

    private readonly FakeSandboxer _world = new("shim");
    private readonly FakeRootfsMounts _mounts = new();
    private readonly List<string> _log = [];

    private MountingSandboxer Sandboxer => new(_world, _mounts, _log.Add);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_shim_is_given_what_is_left_to_mount(bool isNeeded)
    {
        _mounts.IsNeeded = isNeeded;
        ISandbox sandbox = await CreateAsync();
        Assert.Equal(isNeeded ? FakeRootfsMounts.Left : Wanted, Assert.Single(_world.Rootfs));
        await sandbox.ShutdownAsync(default);
        Assert.Equal(isNeeded ? Both : Both[..1], _mounts.Calls);
        Assert.Contains("shut down pod", _world.Deeds);
    }

    [Fact]
    public async Task What_cannot_be_mounted_starts_no_shim()
    {
        _mounts.Refusal = Error.Invalid("mount template");
        await Assert.ThrowsAsync<RefusedException>(CreateAsync);
        Assert.Empty(_world.Deeds);
    }

    [Fact]
    public async Task A_sandbox_that_is_not_made_leaves_nothing_mounted()
    {
        _world.CreateError = Error.Unknown("no shim");
        Assert.Equal("no shim", (await Assert.ThrowsAsync<RefusedException>(CreateAsync)).Error.Text);
        Assert.Equal(Both, _mounts.Calls);
    }

    [Fact]
    public async Task A_shutdown_unmounts_also_after_a_restart_of_the_daemon()
    {
        await CreateAsync();
        ISandbox? found = await Sandboxer.LoadAsync("ns", "pod", default);
        await found!.ShutdownAsync(default);
        Assert.Equal(Both, _mounts.Calls);
        Assert.Null(await Sandboxer.LoadAsync("ns", "pod", default));
    }

    [Fact]
    public async Task What_is_cleaned_up_after_is_unmounted_and_what_is_in_use_does_not_hold_that_up()
    {
        await CreateAsync();
        _mounts.Refusal = Error.Unavailable("umount2 /t/1/0: device or resource busy (EBUSY)");
        Assert.Equal(137u, (await Sandboxer.CleanUpAsync("ns", "pod", "", default)).Status);
        Assert.Equal(Both, _mounts.Calls);
        Assert.Equal(
            "mounts of sandbox ns/pod are left to garbage collection: umount2 /t/1/0: device or resource busy (EBUSY): unavailable", Assert.Single(_log));
    }

    private Task<ISandbox> CreateAsync() => Sandboxer.CreateAsync(
        new SandboxControl.Create("ns", "pod", "shim", Caller.Kernel) { Rootfs = [Wanted] }, new SandboxRecord("pod"), CancellationToken.None);
}
