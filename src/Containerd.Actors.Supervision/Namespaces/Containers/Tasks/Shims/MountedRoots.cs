// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>The mounts below what shims run, from before it is made until after its end, which they do not hold up.</summary>
/// <param name="mounts">The mounts.</param>
/// <param name="kind">What is run: a task or a sandbox.</param>
/// <param name="nameOf">Under which name the mounts of an id are kept.</param>
/// <param name="log">Hears of mounts that could not be undone.</param>
internal sealed class MountedRoots(IRootfsMounts mounts, string kind, Func<string, string> nameOf, Action<string> log)
{
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Makes what runs on a root file system, of which this mounts what its shim cannot.</summary>
    /// <param name="ns">The namespace.</param>
    /// <param name="id">What is made.</param>
    /// <param name="rootfs">Its root file system.</param>
    /// <param name="by">On whose behalf.</param>
    /// <param name="make">Makes it on the mounts that are left to its shim. When it fails, nothing stays mounted.</param>
    /// <param name="mounted">What stands for it when something was mounted, and undoes that at its end.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RefusedException">The mounts failed.</exception>
    public async Task<T> MakeAsync<T>(
        string ns,
        string id,
        ImmutableArray<RootfsMount> rootfs,
        Caller by,
        Func<ImmutableArray<RootfsMount>, Task<T>> make,
        Func<T, T> mounted,
        CancellationToken cancellationToken)
    {
        ImmutableArray<RootfsMount> left = await mounts.ActivateAsync(ns, nameOf(id), rootfs, by, cancellationToken).ConfigureAwait(false);
        if (left == rootfs)
        {
            // Nothing was mounted, as for most: nothing is asked for at the end.
            return await make(rootfs).ConfigureAwait(false);
        }

        try
        {
            return mounted(await make(left).ConfigureAwait(false));
        }
        catch
        {
            // The caller's patience may be over, which is no reason to leave anything behind.
            using CancellationTokenSource limit = new(UndoTimeout);
            await UndoAsync(ns, id, limit.Token).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Undoes the mounts of what has ended, or leaves them to garbage collection and says so.</summary>
    public async Task UndoAsync(string ns, string id, CancellationToken cancellationToken)
    {
        try
        {
            await mounts.DeactivateAsync(ns, nameOf(id), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is RefusedException or OperationCanceledException)
        {
            log($"mounts of {kind} {ns}/{id} are left to garbage collection: {failure.Message}");
        }
    }
}
