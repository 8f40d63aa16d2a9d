// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

/// <summary>Sandboxes whose root file systems the daemon mounts as far as their shims cannot, as <see cref="MountingShims"/> does for tasks.</summary>
/// <remarks>What is mounted is kept by the record of the sandbox, under a name that no task can have.</remarks>
/// <param name="sandboxer">Runs them.</param>
/// <param name="mounts">The mounts.</param>
/// <param name="log">Hears of mounts that could not be undone.</param>
public sealed class MountingSandboxer(ISandboxer sandboxer, IRootfsMounts mounts, Action<string> log) : ISandboxer
{
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromSeconds(15);

    /// <inheritdoc />
    public string Name => sandboxer.Name;

    /// <inheritdoc />
    public async Task<ISandbox> CreateAsync(SandboxControl.Create command, SandboxRecord sandbox, CancellationToken cancellationToken)
    {
        (string ns, string id) = (command.Namespace, command.SandboxId);
        ImmutableArray<RootfsMount> left = await mounts.ActivateAsync(
            ns, ContainerRoot.IdOfSandbox(id), command.Rootfs, command.By, cancellationToken).ConfigureAwait(false);
        if (left == command.Rootfs)
        {
            // Nothing was mounted, as for most sandboxes: nothing is asked for at their end.
            return await sandboxer.CreateAsync(command, sandbox, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            ISandbox made = await sandboxer.CreateAsync(command with { Rootfs = left }, sandbox, cancellationToken).ConfigureAwait(false);
            return new MountedSandbox(made, this, ns, id);
        }
        catch
        {
            // The caller's patience may be over, which is no reason to leave anything behind.
            using CancellationTokenSource limit = new(UndoTimeout);
            await DeactivateAsync(ns, id, limit.Token).ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc />
    public async Task<ISandbox?> LoadAsync(string ns, string id, CancellationToken cancellationToken) =>
        await sandboxer.LoadAsync(ns, id, cancellationToken).ConfigureAwait(false) is { } sandbox ? new MountedSandbox(sandbox, this, ns, id) : null;

    /// <inheritdoc />
    public async Task<SandboxExit> CleanUpAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken)
    {
        SandboxExit exit = await sandboxer.CleanUpAsync(ns, id, runtimeName, cancellationToken).ConfigureAwait(false);
        await DeactivateAsync(ns, id, cancellationToken).ConfigureAwait(false);
        return exit;
    }

    private Task DeactivateAsync(string ns, string id, CancellationToken cancellationToken) =>
        mounts.TryDeactivateAsync(ns, ContainerRoot.IdOfSandbox(id), $"sandbox {ns}/{id}", log, cancellationToken);

    private sealed class MountedSandbox(ISandbox sandbox, MountingSandboxer owner, string ns, string id) : ISandbox
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
            await owner.DeactivateAsync(ns, id, cancellationToken).ConfigureAwait(false);
        }

        public Task<SandboxMetric> MetricsAsync(CancellationToken cancellationToken) => sandbox.MetricsAsync(cancellationToken);

        public ValueTask DisposeAsync() => sandbox.DisposeAsync();
    }
}
