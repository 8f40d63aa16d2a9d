// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Pids;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Removing;
using Containerd.Actors.Shims.Starting;

namespace Containerd.Actors.Shims.Tests;

/// <summary>What a daemon that was killed in the middle of a creation leaves, taken back by the next one.</summary>
public sealed class ShimRemovalSpecs
{
    private const int SignalStop = 19;
    private static readonly CancellationToken None = CancellationToken.None;

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_shim_whose_log_lost_its_reader_while_it_started_is_ended(bool isRecorded)
    {
        await using ShimHarness harness = Harness();
        await harness.StopLogAsync();
        ShimAddress address = await harness.RunStartActionAsync();
        if (isRecorded)
        {
            harness.Bundle.WriteShimBinary(ShimHarness.Binary);
            harness.Bundle.WriteBootstrap(address);
        }

        await Removal(harness).UndoAsync(harness.Bundle, ShimHarness.Binary, None).WaitAsync(ShimHarness.Soon);
        Assert.Equal(0, harness.Launcher.Processes.Kill(ShimHarness.Namespace, harness.Id));
        Assert.False(Directory.Exists(harness.Bundle.Path));
    }

    [SkippableFact]
    public async Task A_created_task_is_taken_back_with_its_mount_and_its_shim()
    {
        await using ShimHarness harness = Harness();
        await using (ShimConnection shim = await harness.StartAsync())
        {
            await shim.Task.CreateAsync(harness.CreateRequest(stdio: false), ShimHarness.Soon);
        }

        await Removal(harness).UndoAsync(harness.Bundle, ShimHarness.Binary, None).WaitAsync(ShimHarness.Soon);
        Assert.Equal(0, harness.Launcher.Processes.Kill(ShimHarness.Namespace, harness.Id));
        Assert.False(Directory.Exists(harness.Bundle.Path));
        Assert.DoesNotContain(File.ReadLines("/proc/self/mountinfo"), line => line.Contains(harness.Bundle.Path, StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task A_bundle_without_a_task_is_removed_with_its_empty_shim_and_left_alone_while_processes_run_there()
    {
        await using ShimHarness harness = Harness();
        await using (ShimConnection shim = await harness.StartAsync())
        {
            await shim.Task.CreateAsync(harness.CreateRequest(stdio: false), ShimHarness.Soon);
            await shim.Task.StartAsync("", ShimHarness.Soon);
            await Removal(harness).RemoveStrayAsync(harness.Bundle, ShimHarness.Binary, None).WaitAsync(ShimHarness.Soon);
            Assert.NotEmpty((await shim.Task.PidsAsync(ShimHarness.Soon)).Processes);
            await shim.Task.KillAsync("", 9, true, ShimHarness.Soon);
            await shim.Task.WaitAsync("", ShimHarness.Soon);
            await shim.Task.DeleteAsync("", ShimHarness.Soon);
        }

        await Removal(harness).RemoveStrayAsync(harness.Bundle, ShimHarness.Binary, None).WaitAsync(ShimHarness.Soon);
        Assert.Equal(0, harness.Launcher.Processes.Kill(ShimHarness.Namespace, harness.Id));
        Assert.False(Directory.Exists(harness.Bundle.Path));
    }

    [SkippableFact]
    public async Task A_frozen_shim_that_never_made_its_task_is_ended_all_the_same()
    {
        await using ShimHarness harness = Harness();
        await using (ShimConnection shim = await harness.StartAsync())
        {
            uint pid = (await shim.Task.ConnectAsync(ShimHarness.Soon)).ShimPid;
            PidFd.Kill((int)pid, SignalStop);
        }

        await Removal(harness).UndoAsync(harness.Bundle, ShimHarness.Binary, None).WaitAsync(ShimHarness.Soon);
        Assert.Equal(0, harness.Launcher.Processes.Kill(ShimHarness.Namespace, harness.Id));
        Assert.False(Directory.Exists(harness.Bundle.Path));
    }

    [SkippableFact]
    public async Task The_shim_of_a_sandbox_stays_when_a_task_of_the_same_id_goes()
    {
        await using ShimHarness harness = Harness();
        await using ShimConnection shim = await harness.StartAsync();
        await shim.Task.CreateAsync(harness.CreateRequest(stdio: false), ShimHarness.Soon);
        Bundle sandbox = Bundle.Create(harness.Roots.OfSandboxes, ShimHarness.Namespace, harness.Id, default);
        sandbox.WriteBootstrap(harness.Bundle.ReadBootstrap());
        await Removal(harness).CleanUpAsync(harness.Bundle, null, None).WaitAsync(ShimHarness.Soon);
        Assert.NotEqual(0u, (await shim.Task.ConnectAsync(ShimHarness.Soon)).ShimPid);

        // The OCI runtime logs to the bundle.
        Directory.CreateDirectory(harness.Bundle.Path);
        await shim.Task.KillAsync("", 9, true, ShimHarness.Soon);
        await shim.Task.WaitAsync("", ShimHarness.Soon);
        await shim.Task.DeleteAsync("", ShimHarness.Soon);
        await shim.Task.ShutdownAsync(false, ShimHarness.Soon);
        Directory.Delete(harness.Bundle.Path, recursive: true);
    }

    private static ShimRemoval Removal(ShimHarness harness) => new(harness.Roots, harness.Launcher, _ => { });

    private static ShimHarness Harness()
    {
        string? why = ShimHarness.WhyNot("runc");
        Skip.If(why is not null, why);
        return new ShimHarness("runc", "sleep", "1000");
    }
}
