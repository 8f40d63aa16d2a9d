// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

/// <summary>Sandboxes whose root file systems the daemon mounts as far as their shims cannot, as <see cref="MountingShims"/> does for tasks.</summary>
/// <remarks>What is mounted is kept by the record of the sandbox, under a name that no task can have.</remarks>
/// <param name="sandboxer">Runs them.</param>
/// <param name="mounts">The mounts.</param>
/// <param name="log">Hears of mounts that could not be undone.</param>
public sealed class MountingSandboxer(ISandboxer sandboxer, IRootfsMounts mounts, Action<string> log) : ISandboxer
{
    private readonly MountedRoots _roots = new(mounts, "sandbox", ContainerRoot.IdOfSandbox, log);

    /// <inheritdoc />
    public string Name => sandboxer.Name;

    /// <inheritdoc />
    public Task<ISandbox> CreateAsync(SandboxControl.Create command, SandboxRecord sandbox, CancellationToken cancellationToken)
    {
        (string ns, string id) = (command.Namespace, command.SandboxId);
        return _roots.MakeAsync(
            ns,
            id,
            command.Rootfs,
            command.By,
            left => sandboxer.CreateAsync(command with { Rootfs = left }, sandbox, cancellationToken),
            made => new MountedSandbox(made, _roots, ns, id),
            cancellationToken);
    }

    /// <inheritdoc />
    public async Task<ISandbox?> LoadAsync(string ns, string id, CancellationToken cancellationToken) =>
        await sandboxer.LoadAsync(ns, id, cancellationToken).ConfigureAwait(false) is { } sandbox ? new MountedSandbox(sandbox, _roots, ns, id) : null;

    /// <inheritdoc />
    public async Task<SandboxExit> CleanUpAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken)
    {
        SandboxExit exit = await sandboxer.CleanUpAsync(ns, id, runtimeName, cancellationToken).ConfigureAwait(false);
        await _roots.UndoAsync(ns, id, cancellationToken).ConfigureAwait(false);
        return exit;
    }

    private sealed class MountedSandbox(ISandbox sandbox, MountedRoots roots, string ns, string id) : ISandbox
    {
        public string Address => sandbox.Address;

        public uint Version => sandbox.Version;

        public Task Closed => sandbox.Closed;

        public Task<SandboxStart> StartAsync(CancellationToken cancellationToken) => sandbox.StartAsync(cancellationToken);

        public Task<SandboxPlatform> PlatformAsync(CancellationToken cancellationToken) => sandbox.PlatformAsync(cancellationToken);

        public Task StopAsync(uint timeoutSeconds, CancellationToken cancellationToken) => sandbox.StopAsync(timeoutSeconds, cancellationToken);

        public Task<SandboxExit> WaitAsync(CancellationToken cancellationToken) => sandbox.WaitAsync(cancellationToken);

        public Task<SandboxStatus> StatusAsync(bool isVerbose, CancellationToken cancellationToken) => sandbox.StatusAsync(isVerbose, cancellationToken);

        public async Task ShutdownAsync(CancellationToken cancellationToken)
        {
            await sandbox.ShutdownAsync(cancellationToken).ConfigureAwait(false);
            await roots.UndoAsync(ns, id, cancellationToken).ConfigureAwait(false);
        }

        public Task<SandboxMetric> MetricsAsync(CancellationToken cancellationToken) => sandbox.MetricsAsync(cancellationToken);

        public ValueTask DisposeAsync() => sandbox.DisposeAsync();
    }
}
