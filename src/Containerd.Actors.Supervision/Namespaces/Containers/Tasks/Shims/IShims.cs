// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>Shims and their bundles, as the tree needs them.</summary>
public interface IShims
{
    /// <summary>Directory of a task's bundle, whether or not it exists.</summary>
    string BundleOf(string ns, string id);

    /// <summary>Makes a bundle, starts a shim, connects and creates the first process.</summary>
    /// <exception cref="RefusedException">It failed; everything was taken back.</exception>
    Task<CreatedShim> CreateAsync(string ns, TaskCreation creation, CancellationToken cancellationToken);

    /// <summary>Connects to the shim of an existing bundle; null when nobody is there.</summary>
    /// <exception cref="RefusedException">There is a shim that does not answer.</exception>
    Task<IShim?> LoadAsync(string ns, string id, CancellationToken cancellationToken);

    /// <summary>Takes back a creation that was interrupted anywhere, including one whose shim was not recorded yet.</summary>
    Task UndoAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken);

    /// <summary>Removes in the background what an earlier daemon left of tasks that the journal no longer knows; a creation under such an id waits for it. Where processes run nothing is touched.</summary>
    /// <param name="ns">The namespace.</param>
    /// <param name="isKnown">Whether the journal knows a task of that id.</param>
    void RemoveStrays(string ns, Func<string, bool> isKnown);

    /// <summary>Cleans up after a dead shim: its delete action, mounts, bundle. Idempotent.</summary>
    /// <returns>How the first process ended, as far as anyone knows: 255 if nobody does.</returns>
    Task<ProcessExit> CleanUpAsync(string ns, string id, CancellationToken cancellationToken);
}

/// <summary>A shim that has just created its first process.</summary>
public sealed record CreatedShim(IShim Shim, uint Pid);

/// <summary>A shim one is connected to. Disposing disconnects; it never ends the shim.</summary>
/// <remarks>Calls fail with <see cref="RefusedException"/> when the shim refuses and <see cref="ShimGoneException"/> when it is gone.</remarks>
public interface IShim : IAsyncDisposable
{
    /// <summary>Completes when the connection is lost.</summary>
    Task Closed { get; }

    /// <summary>Answered when the process ended; without a time if it never ran.</summary>
    Task<ProcessExit> WaitAsync(string execId, CancellationToken cancellationToken);

    /// <summary>What a process is doing; null when the shim does not know it.</summary>
    Task<ProcessReport?> StateAsync(string execId, CancellationToken cancellationToken);

    /// <summary>Carries out any request that is made of a connected shim, except deletion of the task, and says what came of it.</summary>
    Task<ShimSignal> CallAsync(ShimRequest request, CancellationToken cancellationToken);

    /// <summary>Deletes the task and its mounts. The shim has been told to end, and does so, and the bundle goes, after the answer.</summary>
    Task<ProcessExit> DeleteAsync(CancellationToken cancellationToken);

    /// <summary>Processes in the container.</summary>
    Task<ImmutableArray<PidRecord>> PidsAsync(CancellationToken cancellationToken);

    /// <summary>What the container uses.</summary>
    Task<AnyValue> StatsAsync(CancellationToken cancellationToken);
}

/// <summary>The connection to a shim was lost while it was asked.</summary>
public sealed class ShimGoneException(string message, Exception? inner = null) : Exception(message, inner);
