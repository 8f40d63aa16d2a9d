// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>Shims whose root file systems the daemon mounts as far as they cannot.</summary>
/// <remarks>
/// What is mounted comes before the shim and goes after it, in every way in which a task may end: deleted, taken back, lost. What is
/// still in use then is no reason to hold up the end of the task: its record is gone, and garbage collection undoes it.
/// </remarks>
/// <param name="shims">The shims.</param>
/// <param name="mounts">The mounts.</param>
/// <param name="log">Hears of mounts that could not be undone.</param>
public sealed class MountingShims(IShims shims, IRootfsMounts mounts, Action<string> log) : IShims
{
    private readonly MountedRoots _roots = new(mounts, "task", id => id, log);

    /// <inheritdoc />
    public string BundleOf(string ns, string id) => shims.BundleOf(ns, id);

    /// <inheritdoc />
    public Task<CreatedShim> CreateAsync(string ns, TaskCreation creation, CancellationToken cancellationToken)
    {
        string id = creation.Container.Id;
        return _roots.MakeAsync(
            ns,
            id,
            creation.Command.Rootfs,
            creation.Command.By,
            left => shims.CreateAsync(ns, creation with { Command = creation.Command with { Rootfs = left } }, cancellationToken),
            created => created with { Shim = new MountedShim(created.Shim, _roots, ns, id) },
            cancellationToken);
    }

    /// <inheritdoc />
    public async Task<IShim?> LoadAsync(string ns, string id, CancellationToken cancellationToken) =>
        await shims.LoadAsync(ns, id, cancellationToken).ConfigureAwait(false) is { } shim ? new MountedShim(shim, _roots, ns, id) : null;

    /// <inheritdoc />
    public async Task UndoAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken)
    {
        await shims.UndoAsync(ns, id, runtimeName, cancellationToken).ConfigureAwait(false);
        await _roots.UndoAsync(ns, id, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public void RemoveStrays(string ns, Func<string, bool> isKnown) => shims.RemoveStrays(ns, isKnown);

    /// <inheritdoc />
    public async Task<ProcessExit> CleanUpAsync(string ns, string id, CancellationToken cancellationToken)
    {
        ProcessExit exit = await shims.CleanUpAsync(ns, id, cancellationToken).ConfigureAwait(false);
        await _roots.UndoAsync(ns, id, cancellationToken).ConfigureAwait(false);
        return exit;
    }

    private sealed class MountedShim(IShim shim, MountedRoots roots, string ns, string id) : IShim
    {
        public Task Closed => shim.Closed;

        public Task<ProcessExit> WaitAsync(string execId, CancellationToken cancellationToken) => shim.WaitAsync(execId, cancellationToken);

        public Task<ProcessReport?> StateAsync(string execId, CancellationToken cancellationToken) => shim.StateAsync(execId, cancellationToken);

        public Task<ShimSignal> CallAsync(ShimRequest request, CancellationToken cancellationToken) => shim.CallAsync(request, cancellationToken);

        public async Task<ProcessExit> DeleteAsync(CancellationToken cancellationToken)
        {
            ProcessExit exit = await shim.DeleteAsync(cancellationToken).ConfigureAwait(false);
            await roots.UndoAsync(ns, id, cancellationToken).ConfigureAwait(false);
            return exit;
        }

        public Task<ImmutableArray<PidRecord>> PidsAsync(CancellationToken cancellationToken) => shim.PidsAsync(cancellationToken);

        public Task<AnyValue> StatsAsync(CancellationToken cancellationToken) => shim.StatsAsync(cancellationToken);

        public ValueTask DisposeAsync() => shim.DisposeAsync();
    }
}
