// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Bundles;
using Containerd.V1.Types;

namespace Containerd.Actors.Shims.Tests;

/// <summary>The installed shim with real containers.</summary>
public class ShimConnectionSpecs
{
    private static readonly TimeSpan Soon = ShimHarness.Soon;

    [SkippableTheory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task A_container_lives_from_create_to_delete(string runtime)
    {
        var why = ShimHarness.WhyNot(runtime);
        Skip.If(why is not null, why);
        await using var harness = new ShimHarness(runtime, "sleep", "1000");
        var shim = await harness.StartAsync();
        await using (shim)
        {
            var task = shim.Task;
            var created = await task.CreateAsync(harness.CreateRequest(stdio: false), Soon);
            Assert.Equal(created.Pid, (await task.StartAsync("", Soon)).Pid);
            Assert.Equal(Status.Running, (await task.StateAsync("", Soon)).Status);
            Assert.Contains((await task.PidsAsync(Soon)).Processes, process => process.Pid == created.Pid);
            Assert.NotEmpty((await task.StatsAsync(Soon)).Stats.TypeUrl);
            await task.ResizePtyAsync("", 80, 25, Soon);

            await task.PauseAsync(Soon);
            Assert.Equal(Status.Paused, (await task.StateAsync("", Soon)).Status);
            await task.ResumeAsync(Soon);

            await task.ExecAsync(harness.ExecRequest("e1", "sh", "-c", "exit 7"), Soon);
            var waiting = task.WaitAsync("e1", Soon);
            await task.StartAsync("e1", Soon);
            Assert.Equal(7u, (await waiting).ExitStatus);
            await task.DeleteAsync("e1", Soon);
            Assert.Equal(
                ErrorKind.NotFound,
                (await Assert.ThrowsAsync<RefusedException>(() => task.StateAsync("e9", Soon))).Error.Kind);

            var ended = task.WaitAsync("", Soon);
            await task.KillAsync("", 9, all: false, Soon);
            Assert.Equal(137u, (await ended).ExitStatus);
            Assert.Equal(137u, (await task.DeleteAsync("", Soon)).ExitStatus);
            await task.ShutdownAsync(now: false, Soon);
            await shim.Closed.WaitAsync(Soon);
        }

        Assert.Equal(
            ["/tasks/create", "/tasks/start", "/tasks/paused", "/tasks/resumed", "/tasks/exec-added", "/tasks/exec-started", "/tasks/exit", "/tasks/exit"],
            harness.Topics.Where(topic => topic != "/tasks/delete"));
    }

    [SkippableFact]
    public async Task Standard_streams_pass_through_fifos_and_close()
    {
        var why = ShimHarness.WhyNot("runc");
        Skip.If(why is not null, why);
        await using var harness = new ShimHarness("runc", "cat");
        using var input = PipeEnd.OpenFifo(harness.Fifo("in"));
        using var output = PipeEnd.OpenFifo(harness.Fifo("out"));
        using var errorOutput = PipeEnd.OpenFifo(harness.Fifo("err"));
        await using var shim = await harness.StartAsync();
        await shim.Task.CreateAsync(harness.CreateRequest(stdio: true), Soon);
        await shim.Task.StartAsync("", Soon);
        await input.WriteAsync(Encoding.UTF8.GetBytes("hello"));
        var buffer = new byte[64];
        var count = await output.ReadAsync(buffer).AsTask().WaitAsync(Soon);
        Assert.Equal("hello", Encoding.UTF8.GetString(buffer, 0, count));
        input.Dispose();
        await shim.Task.CloseIOAsync("", Soon);
        Assert.Equal(0u, (await shim.Task.WaitAsync("", Soon)).ExitStatus);
        await shim.Task.DeleteAsync("", Soon);
    }

    [SkippableFact]
    public async Task A_killed_shim_is_seen_and_its_delete_action_cleans_up()
    {
        var why = ShimHarness.WhyNot("runc");
        Skip.If(why is not null, why);
        await using var harness = new ShimHarness("runc", "sleep", "1000");
        await using var shim = await harness.StartAsync();
        var created = await shim.Task.CreateAsync(harness.CreateRequest(stdio: false), Soon);
        await shim.Task.StartAsync("", Soon);
        var waiting = shim.Task.WaitAsync("", Soon);
        using (var process = System.Diagnostics.Process.GetProcessById((int)(await shim.Task.ConnectAsync(Soon)).ShimPid))
        {
            process.Kill();
        }

        await shim.Closed.WaitAsync(Soon);
        await Assert.ThrowsAsync<ShimClosedException>(() => waiting);
        await Assert.ThrowsAsync<ShimClosedException>(() => ShimConnection.LoadAsync(harness.Bundle, Soon));
        var deleted = await harness.Launcher.DeleteAsync(harness.Bundle, harness.Bundle.ReadShimBinary()!);
        Assert.Equal((137u, created.Pid), (deleted.ExitStatus, deleted.Pid));
        harness.Bundle.Delete();
        harness.Bundle.Delete();
        Assert.Empty(Bundle.List(harness.Roots));
    }

    [SkippableFact]
    public async Task A_restarted_daemon_finds_its_shims_again()
    {
        var why = ShimHarness.WhyNot("runc");
        Skip.If(why is not null, why);
        await using var harness = new ShimHarness("runc", "sleep", "1000");
        uint pid;
        await using (var first = await harness.StartAsync())
        {
            pid = (await first.Task.CreateAsync(harness.CreateRequest(stdio: false), Soon)).Pid;
        }

        var bundle = Assert.Single(Bundle.List(harness.Roots));
        await using var second = await ShimConnection.LoadAsync(bundle, Soon);
        Assert.Equal(pid, (await second.Task.StateAsync("", Soon)).Pid);
        Assert.Equal(Status.Created, (await second.Task.StateAsync("", Soon)).Status);
    }
}
