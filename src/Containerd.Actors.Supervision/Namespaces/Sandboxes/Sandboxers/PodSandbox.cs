// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

/// <summary>One sandbox that a pausing container holds open. Its containers have shims of their own, hence no address.</summary>
internal sealed class PodSandbox(PodSandboxer owner, string ns, string id) : ISandbox
{
    public string Address => "";

    public uint Version => 0;

    // The task watches its shim itself; how the container ended comes as the answer to a wait.
    public Task Closed { get; } = new TaskCompletionSource().Task;

    public async Task<SandboxStart> StartAsync(CancellationToken cancellationToken)
    {
        uint pid = await owner.AskAsync(new TaskCommands.Start(ns, id, "", PodSandboxer.By), cancellationToken).ConfigureAwait(false);
        ContainerRecord container = await owner.AskAsync(new ContainerQueries.Get(ns, id, PodSandboxer.By), cancellationToken).ConfigureAwait(false);
        return new SandboxStart(pid, container.CreatedAt, container.Spec);
    }

    public Task<SandboxPlatform> PlatformAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new SandboxPlatform(Platforms.Host.Os, Platforms.Host.Architecture, Platforms.Host.Variant ?? ""));

    public Task StopAsync(uint timeoutSeconds, CancellationToken cancellationToken) => owner.EndAsync(ns, id, cancellationToken);

    public async Task<SandboxExit> WaitAsync(CancellationToken cancellationToken)
    {
        ProcessExit exit = await owner.AskAsync(new TaskQueries.Wait(ns, id, "", PodSandboxer.By), cancellationToken).ConfigureAwait(false);
        return new SandboxExit(exit.Status, exit.ExitedAt ?? DateTimeOffset.UnixEpoch);
    }

    public async Task<SandboxStatus> StatusAsync(bool isVerbose, CancellationToken cancellationToken)
    {
        ContainerRecord container = await owner.AskAsync(new ContainerQueries.Get(ns, id, PodSandboxer.By), cancellationToken).ConfigureAwait(false);
        ProcessRecord process = await owner.AskAsync(new TaskQueries.Get(ns, id, "", PodSandboxer.By), cancellationToken).ConfigureAwait(false);
        return new SandboxStatus(id)
        {
            Pid = process.Status == ProcessStatus.Created ? 0 : process.Pid,
            State = process.Status == ProcessStatus.Running ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
            CreatedAt = container.CreatedAt,
            ExitedAt = process.Exit?.ExitedAt,
        };
    }

    public async Task ShutdownAsync(CancellationToken cancellationToken) =>
        await owner.CleanUpAsync(ns, id, "", cancellationToken).ConfigureAwait(false);

    public async Task<SandboxMetric> MetricsAsync(CancellationToken cancellationToken)
    {
        TaskMetric metric = await owner.AskAsync(new TaskQueries.Stats(ns, id, PodSandboxer.By), cancellationToken).ConfigureAwait(false);
        return new SandboxMetric(id, metric.At, metric.Stats);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
