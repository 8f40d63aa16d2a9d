// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Linux.Pids;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Sandboxes.Sandboxers;

/// <summary>Sandboxes in a real shim, an executable of its own with the sandbox API.</summary>
public sealed class ShimSandboxerSpecs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_sandbox_lives_from_its_creation_to_its_shutdown()
    {
        await using PodMachine machine = new();
        await using ISandbox sandbox = await machine.CreateAsync("a");
        Assert.Equal("SANDBOX_NOTREADY", (await sandbox.StatusAsync(false, default)).State);
        SandboxStart started = await sandbox.StartAsync(default);
        Assert.NotEqual(0u, started.Pid);
        SandboxStatus status = await sandbox.StatusAsync(true, default);
        Assert.Equal(("SANDBOX_READY", started.Pid, 3u), (status.State, status.Pid, status.Version));
        Assert.StartsWith("ttrpc+unix:///", status.Address, StringComparison.Ordinal);
        Assert.Equal("linux", (await sandbox.PlatformAsync(default)).Os);
        Assert.Equal("pod.Metrics", (await sandbox.MetricsAsync(default)).Data!.TypeUrl);
        Task<SandboxExit> ended = sandbox.WaitAsync(default);
        await sandbox.StopAsync(1, default);
        Assert.Equal(137u, (await ended.WaitAsync(Patience)).Status);
        await sandbox.ShutdownAsync(default);
        await sandbox.Closed.WaitAsync(Patience);
        Assert.False(Directory.Exists(machine.BundleOf("a")));
        Assert.False(IsAlive(started.Pid));
    }

    [Fact]
    public async Task A_creation_that_the_shim_refuses_leaves_neither_shim_nor_bundle()
    {
        await using PodMachine machine = new();
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => machine.CreateAsync("a", refuse: "create"));
        Assert.Equal("failed to create sandbox a: this pod refuses to be created: invalid argument", refused.Error.Text);
        Assert.False(Directory.Exists(machine.BundleOf("a")));
        Assert.Equal(0, machine.Launcher.Processes.Kill(PodMachine.Ns, "a"));
    }

    [Fact]
    public async Task A_start_that_the_shim_refuses_is_told_in_its_words()
    {
        await using PodMachine machine = new();
        await using ISandbox sandbox = await machine.CreateAsync("a", refuse: "start");
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => sandbox.StartAsync(default));
        Assert.Equal("failed to start sandbox a: this pod refuses to be started", refused.Error.Text);
    }

    [Fact]
    public async Task A_sandbox_is_found_again_by_its_bundle()
    {
        await using PodMachine machine = new();
        uint pid;
        await using (ISandbox sandbox = await machine.CreateAsync("a"))
        {
            pid = (await sandbox.StartAsync(default)).Pid;
        }

        await using ISandbox? found = await machine.Sandboxer.LoadAsync(PodMachine.Ns, "a", default);
        Assert.Equal(pid, (await found!.StatusAsync(false, default)).Pid);
        Assert.Null(await machine.Sandboxer.LoadAsync(PodMachine.Ns, "none", default));
    }

    [Fact]
    public async Task A_killed_shim_closes_the_connection_and_is_cleaned_up_after()
    {
        await using PodMachine machine = new();
        await using ISandbox sandbox = await machine.CreateAsync("a");
        uint pid = (await sandbox.StartAsync(default)).Pid;
        Assert.NotEqual(0, machine.Launcher.Processes.Kill(PodMachine.Ns, "a"));
        await sandbox.Closed.WaitAsync(Patience);
        Assert.Null(await machine.Sandboxer.LoadAsync(PodMachine.Ns, "a", default));
        Assert.Equal(137u, (await machine.Sandboxer.CleanUpAsync(PodMachine.Ns, "a", "", default)).Status);
        Assert.False(Directory.Exists(machine.BundleOf("a")));
        System.Diagnostics.Process.GetProcessById((int)pid).Kill();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_task_joins_the_shim_of_its_sandbox_and_leaves_it_there(bool byAddress)
    {
        await using PodMachine machine = new();
        await using ISandbox sandbox = await machine.CreateAsync("a");
        await sandbox.StartAsync(default);
        CreatedShim created = byAddress
            ? await machine.JoinAsync("c", "a", sandbox.Address, sandbox.Version)
            : await machine.JoinAsync("c", "a");
        await using (created.Shim)
        {
            await created.Shim.CallAsync(new ShimRequests.Start(""), default);
            Assert.Equal("c", (await sandbox.StatusAsync(true, default)).Info["tasks"]);
            Assert.Equal("a", await File.ReadAllTextAsync(Path.Combine(machine.Shims.BundleOf(PodMachine.Ns, "c"), "sandbox")));
            Assert.False(File.Exists(Path.Combine(machine.Shims.BundleOf(PodMachine.Ns, "c"), "shim-binary-path")));
        }

        await using (IShim? found = await machine.Shims.LoadAsync(PodMachine.Ns, "c", default))
        {
            await found!.CallAsync(new ShimRequests.Kill("", 9, true), default);
            Assert.Equal(137u, (await found.DeleteAsync(default)).Status);
            Assert.Equal("SANDBOX_READY", (await sandbox.StatusAsync(false, default)).State);
        }

        // What follows a deletion is over when the connection is let go.
        Assert.False(Directory.Exists(machine.Shims.BundleOf(PodMachine.Ns, "c")));
    }

    [Fact]
    public async Task A_task_that_is_taken_back_leaves_the_sandbox_alone()
    {
        await using PodMachine machine = new();
        await using ISandbox sandbox = await machine.CreateAsync("a");
        await sandbox.StartAsync(default);
        CreatedShim created = await machine.JoinAsync("c", "a");
        await created.Shim.DisposeAsync();
        await machine.Shims.UndoAsync(PodMachine.Ns, "c", "io.containerd.pod.v1", default);
        SandboxStatus status = await sandbox.StatusAsync(true, default);
        Assert.Equal(("SANDBOX_READY", ""), (status.State, status.Info["tasks"]));
    }

    [Fact]
    public async Task A_task_api_older_than_three_is_joined_through_a_shim_of_its_own()
    {
        await using PodMachine machine = new();
        await using ISandbox sandbox = await machine.CreateAsync("a");
        await sandbox.StartAsync(default);
        CreatedShim created = await machine.JoinAsync("c", "a", sandbox.Address, 2);
        await using (created.Shim)
        {
            Assert.Equal("", (await sandbox.StatusAsync(true, default)).Info["tasks"]);
            Assert.True(File.Exists(Path.Combine(machine.Shims.BundleOf(PodMachine.Ns, "c"), "shim-binary-path")));
        }
    }

    [Theory]
    [InlineData("unix:///s", "the scheme of sandbox address should be in the form of <protocol>+<unix|vsock|tcp>, i.e. ttrpc+unix or grpc+vsock")]
    [InlineData("http+unix:///s", "failed to start shim: shim protocol http: not implemented")]
    [InlineData("ttrpc+vsock://3:1024", "failed to start shim: shim address vsock://3:1024: not implemented")]
    public async Task An_address_that_cannot_be_reached_is_refused_and_leaves_nothing(string address, string text)
    {
        await using PodMachine machine = new();
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => machine.JoinAsync("c", "a", address, 3));
        Assert.Equal(text, refused.Error.Text);
        Assert.False(Directory.Exists(machine.Shims.BundleOf(PodMachine.Ns, "c")));
    }

    private static bool IsAlive(uint pid)
    {
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle process = PidFd.Open((int)pid);
            return !PidFd.HasExited(process, TimeSpan.FromSeconds(20));
        }
        catch (Core.Linux.LinuxException)
        {
            return false;
        }
    }
}
