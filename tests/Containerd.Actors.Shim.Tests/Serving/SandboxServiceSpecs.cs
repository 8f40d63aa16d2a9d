// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Shim.Containers;
using Containerd.Actors.Ttrpc;
using Containerd.Runtime.Sandbox.V1;
using Containerd.Runtime.Task.V3;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Tests.Serving;

/// <summary>The sandbox API as a daemon sees it, and what it and the task API have to do with each other.</summary>
public sealed class SandboxServiceSpecs : IAsyncLifetime
{
    private const uint Killed = 137;
    private ShimRig _rig = null!;

    public async Task InitializeAsync() => _rig = await ShimRig.StartAsync();

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task A_sandbox_without_a_container_lives_from_its_creation_to_its_shutdown()
    {
        await CreateAsync("a");
        SandboxStatusResponse created = await StatusAsync("a");
        Assert.Equal(("a", 0u, "SANDBOX_NOTREADY"), (created.SandboxId, created.Pid, created.State));
        StartSandboxResponse started = await StartAsync("a");
        Assert.Equal((0u, created.CreatedAt), (started.Pid, started.CreatedAt));
        Assert.Equal("SANDBOX_READY", (await StatusAsync("a")).State);
        await _rig.SandboxAsync("PingSandbox", new PingRequest { SandboxId = "a" }, PingResponse.Parser);
        Assert.Null((await MetricsAsync("a")).Metrics);

        Task<WaitSandboxResponse>[] waiting = [WaitAsync("a"), WaitAsync("a")];
        await StopAsync("a");
        WaitSandboxResponse[] ended = await Task.WhenAll(waiting);
        SandboxStatusResponse status = await StatusAsync("a");
        Assert.Equal(("SANDBOX_NOTREADY", ended[0].ExitedAt), (status.State, status.ExitedAt));
        Assert.All([.. ended, await WaitAsync("a")], each => Assert.Equal((0u, status.ExitedAt), (each.ExitStatus, each.ExitedAt)));

        await StopAsync("a");
        Assert.False(_rig.Ended.IsCompleted);
        await ShutdownAsync("a");
        await _rig.Ended.WaitAsync(ShimRig.Patience);
        await ShutdownAsync("a");
        Assert.Empty(_rig.Calls);
    }

    [Theory]
    [InlineData("StartSandbox")]
    [InlineData("StopSandbox")]
    [InlineData("WaitSandbox")]
    [InlineData("SandboxStatus")]
    [InlineData("PingSandbox")]
    [InlineData("SandboxMetrics")]
    public async Task What_is_asked_of_a_sandbox_that_is_not_there_is_refused(string method)
    {
        await CreateAsync("a");

        // The id is the first field of every request.
        ByteString request = new PingRequest { SandboxId = "b" }.ToByteString();
        TtrpcStatusException refused = await Assert.ThrowsAsync<TtrpcStatusException>(
            () => _rig.Client.CallAsync("containerd.runtime.sandbox.v1.Sandbox", method, request, ShimRig.Patience));
        Assert.Equal((TtrpcCode.NotFound, "sandbox b: not found"), (refused.Code, refused.Message));
    }

    [Fact]
    public async Task The_platform_is_that_of_the_host_with_and_without_a_sandbox()
    {
        PlatformResponse told = await _rig.SandboxAsync("Platform", new PlatformRequest { SandboxId = "a" }, PlatformResponse.Parser);
        Assert.Equal(("linux", Actors.Oci.Images.Platforms.Host.Architecture), (told.Platform.Os, told.Platform.Architecture));
    }

    [Theory]
    [InlineData("a", TtrpcCode.AlreadyExists, "sandbox a already running: already exists")]
    [InlineData("b", TtrpcCode.FailedPrecondition, "cannot create sandbox b: this shim is that of sandbox a: failed precondition")]
    public async Task A_shim_holds_one_sandbox(string second, TtrpcCode code, string text)
    {
        await CreateAsync("a");
        TtrpcStatusException refused = await Assert.ThrowsAsync<TtrpcStatusException>(() => CreateAsync(second));
        Assert.Equal((code, text), (refused.Code, refused.Message));
    }

    [Fact]
    public async Task A_shutdown_of_what_could_not_be_made_ends_the_shim_unless_others_need_it()
    {
        await _rig.RunAsync("c");
        await ShutdownAsync("a");
        Assert.False(_rig.Ended.IsCompleted);
        await KillAsync("c");
        await DeleteAsync("c");
        await ShutdownAsync("a");
        await _rig.Ended.WaitAsync(ShimRig.Patience);
    }

    [Fact]
    public async Task A_shim_without_containers_goes_on_for_its_sandbox()
    {
        await CreateAsync("a");
        await _rig.RunAsync("c");
        await KillAsync("c");
        await DeleteAsync("c");
        await TaskShutdownAsync();
        Assert.False(_rig.Ended.IsCompleted);
        await StopAsync("a");
        await TaskShutdownAsync();
        Assert.False(_rig.Ended.IsCompleted);
        await ShutdownAsync("a");
        await _rig.Ended.WaitAsync(ShimRig.Patience);
    }

    [Fact]
    public async Task Stopping_a_sandbox_ends_its_containers_and_how_is_kept_until_they_are_deleted()
    {
        await CreateAsync("a");
        await StartAsync("a");
        await _rig.RunAsync("c");
        await _rig.RunAsync("d");
        await _rig.TaskAsync("Pause", new PauseRequest { Id = "d" }, Empty.Parser);
        Assert.Equal("c,d", (await StatusAsync("a", isVerbose: true)).Info["tasks"]);
        Task<WaitResponse> ended = _rig.TaskAsync("Wait", new WaitRequest { Id = "c" }, WaitResponse.Parser);
        await StopAsync("a");
        Assert.Equal(Killed, (await ended).ExitStatus);
        Assert.Equal(Killed, (await DeleteAsync("c")).ExitStatus);
        Assert.Equal("d", (await StatusAsync("a", isVerbose: true)).Info["tasks"]);

        // What is frozen feels no signal until it is thawed.
        Assert.Equal(["pause d", "kill d", "resume d"], _rig.Calls.SkipWhile(call => call != "pause d").Take(3));
    }

    [Fact]
    public async Task A_shutdown_takes_the_containers_along_that_nobody_deleted()
    {
        string bundle = await CreateAsync("a");
        await _rig.RunAsync("c");
        await _rig.RunAsync("d");
        Assert.Equal(["c", "d"], RecordsOf(bundle));
        await ShutdownAsync("a");
        await _rig.Ended.WaitAsync(ShimRig.Patience);
        Assert.Equal(["delete c", "delete d"], _rig.Calls.Where(call => call.StartsWith("delete", StringComparison.Ordinal)).Order());
        Assert.Empty(RecordsOf(bundle));
        TtrpcStatusException refused = await Assert.ThrowsAsync<TtrpcStatusException>(() => _rig.RunAsync("e"));
        Assert.Equal((TtrpcCode.Unavailable, "cannot create container e: its shim is ending: unavailable"), (refused.Code, refused.Message));
        Assert.Equal(2, (await _rig.TopicsAsync()).Count(topic => topic == "/tasks/delete"));
    }

    [Fact]
    public async Task A_sandbox_that_comes_after_its_containers_has_them()
    {
        await _rig.RunAsync("c");
        string bundle = await CreateAsync("a");
        Assert.Equal(["c"], RecordsOf(bundle));
        Assert.Equal("c", (await StatusAsync("a", isVerbose: true)).Info["tasks"]);
        await KillAsync("c");
        await DeleteAsync("c");
        Assert.Empty(RecordsOf(bundle));
    }

    [Fact]
    public async Task The_runtime_has_forgotten_a_container_of_a_sandbox_when_its_deletion_is_answered()
    {
        await CreateAsync("a");
        await _rig.RunAsync("c");
        await KillAsync("c");
        await DeleteAsync("c");
        Assert.Equal("delete c", _rig.Calls[^1]);
    }

    [Fact]
    public async Task The_runtime_has_forgotten_a_container_when_a_shutdown_is_answered_though_others_need_the_shim()
    {
        await _rig.RunAsync("c");
        await _rig.RunAsync("d");
        await KillAsync("c");
        Func<Task> goOn = _rig.HoldDeletions();
        await DeleteAsync("c");
        Task<Empty> ending = TaskShutdownAsync();
        await _rig.TaskAsync("State", new StateRequest { Id = "d" }, StateResponse.Parser);
        Assert.False(ending.IsCompleted);
        await goOn();
        await ending;
        Assert.Equal("delete c", _rig.Calls[^1]);
        Assert.False(_rig.Ended.IsCompleted);
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_process_and_a_root_file_system_make_a_container_that_ends_with_its_process(bool isStopped)
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root, to mount");
        await CreateAsync("a", Root);
        Assert.Equal(0u, (await StatusAsync("a")).Pid);
        uint pid = (await StartAsync("a")).Pid;
        Assert.Equal((pid, "SANDBOX_READY"), ((await StatusAsync("a")).Pid, (await StatusAsync("a")).State));
        Assert.Equal("a", (await MetricsAsync("a")).Metrics.Id);
        Assert.NotEqual(0, (await MetricsAsync("a")).Metrics.Data.Value.Length);
        Assert.Equal("", (await StatusAsync("a", isVerbose: true)).Info["tasks"]);
        Task<WaitSandboxResponse>[] waiting = [WaitAsync("a"), WaitAsync("a")];
        if (isStopped)
        {
            await StopAsync("a");
        }
        else
        {
            using Process process = Process.GetProcessById((int)pid);
            process.Kill();
        }

        Assert.All(await Task.WhenAll(waiting), each => Assert.Equal(Killed, each.ExitStatus));
        Assert.False(Directory.Exists($"/proc/{pid}"));
        SandboxStatusResponse status = await StatusAsync("a");
        Assert.Equal(("SANDBOX_NOTREADY", waiting[0].Result.ExitedAt), (status.State, status.ExitedAt));
        await StopAsync("a");
        await ShutdownAsync("a");
        await _rig.Ended.WaitAsync(ShimRig.Patience);
        Assert.Equal(["create a", "start a", "delete a"], _rig.Calls);

        // No task stands for it.
        Assert.Empty(await _rig.TopicsAsync());
    }

    [SkippableFact]
    public async Task A_container_that_was_never_started_is_removed_with_its_sandbox()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root, to mount");
        await CreateAsync("a", Root);
        await ShutdownAsync("a");
        Assert.Equal(["create a", "delete a"], _rig.Calls);
    }

    [SkippableFact]
    public async Task What_cannot_be_mounted_makes_no_sandbox()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root, to mount");
        TtrpcStatusException refused = await Assert.ThrowsAsync<TtrpcStatusException>(
            () => CreateAsync("a", new Mount { Type = "bind", Source = "/no/such/directory", Options = { "rbind" } }));
        Assert.Contains("no such file or directory", refused.Message, StringComparison.Ordinal);
        Assert.Equal(TtrpcCode.NotFound, (await Assert.ThrowsAsync<TtrpcStatusException>(() => StatusAsync("a"))).Code);
        await CreateAsync("a", Root);
    }

    [SkippableFact]
    public async Task A_root_file_system_without_a_process_makes_no_container()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root, to mount");
        string bundle = _rig.Bundle("a", "{}");
        await _rig.SandboxAsync(
            "CreateSandbox", new CreateSandboxRequest { SandboxId = "a", BundlePath = bundle, Rootfs = { Root } }, CreateSandboxResponse.Parser);
        Assert.Equal(0u, (await StartAsync("a")).Pid);
        Assert.Empty(_rig.Calls);
    }

    private static Mount Root { get; } = new() { Type = "bind", Source = "/bin", Options = { "rbind", "ro" } };

    private async Task<string> CreateAsync(string id, params Mount[] rootfs)
    {
        string bundle = _rig.Bundle(id);
        await _rig.SandboxAsync(
            "CreateSandbox", new CreateSandboxRequest { SandboxId = id, BundlePath = bundle, Rootfs = { rootfs } }, CreateSandboxResponse.Parser);
        return bundle;
    }

    private Task<StartSandboxResponse> StartAsync(string id) =>
        _rig.SandboxAsync("StartSandbox", new StartSandboxRequest { SandboxId = id }, StartSandboxResponse.Parser);

    private Task<StopSandboxResponse> StopAsync(string id) => _rig.SandboxAsync("StopSandbox", new StopSandboxRequest { SandboxId = id }, StopSandboxResponse.Parser);

    private Task<WaitSandboxResponse> WaitAsync(string id) =>
        _rig.SandboxAsync("WaitSandbox", new WaitSandboxRequest { SandboxId = id }, WaitSandboxResponse.Parser);

    private Task<SandboxStatusResponse> StatusAsync(string id, bool isVerbose = false) =>
        _rig.SandboxAsync("SandboxStatus", new SandboxStatusRequest { SandboxId = id, Verbose = isVerbose }, SandboxStatusResponse.Parser);

    private Task<SandboxMetricsResponse> MetricsAsync(string id) =>
        _rig.SandboxAsync("SandboxMetrics", new SandboxMetricsRequest { SandboxId = id }, SandboxMetricsResponse.Parser);

    private Task<ShutdownSandboxResponse> ShutdownAsync(string id) =>
        _rig.SandboxAsync("ShutdownSandbox", new ShutdownSandboxRequest { SandboxId = id }, ShutdownSandboxResponse.Parser);

    private Task<Empty> TaskShutdownAsync() => _rig.TaskAsync("Shutdown", new ShutdownRequest(), Empty.Parser);

    private async Task KillAsync(string id)
    {
        await _rig.TaskAsync("Kill", new KillRequest { Id = id, Signal = 9 }, Empty.Parser);
        await _rig.TaskAsync("Wait", new WaitRequest { Id = id }, WaitResponse.Parser);
    }

    private Task<DeleteResponse> DeleteAsync(string id) => _rig.TaskAsync("Delete", new DeleteRequest { Id = id }, DeleteResponse.Parser);

    private static IEnumerable<string?> RecordsOf(string bundle) =>
        new Containerd.Actors.Shim.Sandboxes.SandboxMembers(bundle).All().Select(member => member.Id).Order();
}
