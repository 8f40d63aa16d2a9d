// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>Mounts of root file systems that shims cannot mount themselves, as tasks and sandboxes need them.</summary>
public interface IRootfsMounts
{
    /// <summary>Mounts what the daemon has to mount for a task or sandbox and answers what is left to its shim: the same array where it had nothing to mount.</summary>
    /// <exception cref="RefusedException">It failed; nothing is mounted.</exception>
    Task<ImmutableArray<RootfsMount>> ActivateAsync(
        string ns, string id, ImmutableArray<RootfsMount> mounts, Caller by, CancellationToken cancellationToken);

    /// <summary>Undoes it; nothing happens if nothing was mounted.</summary>
    /// <exception cref="RefusedException">It is still in use; garbage collection takes it later.</exception>
    Task DeactivateAsync(string ns, string id, CancellationToken cancellationToken);
}
