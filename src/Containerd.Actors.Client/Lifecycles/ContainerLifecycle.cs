// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Leasing;
using Containerd.Services.Containers.V1;
using Containerd.Services.Snapshots.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Types;
using Grpc.Core;

namespace Containerd.Actors.Client.Lifecycles;

/// <summary>Creates and removes containers together with what belongs to them: snapshot, task, lease.</summary>
/// <remarks>Either everything is made or nothing stays: a step that fails takes back the steps before it.</remarks>
public sealed class ContainerLifecycle(ContainerdConnection connection, TimeProvider time)
{
    private const uint SigKill = 9;
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Prepares the container's snapshot on top of <paramref name="parent"/> and records the container.</summary>
    /// <param name="container">The record; its snapshotter must be set, its snapshot key becomes its id.</param>
    /// <param name="parent">Chain id of the image; empty for an empty root.</param>
    /// <param name="complete">Called with the prepared mounts before the record is made, to finish it.</param>
    /// <param name="cancellation">Ends the wait; what was made is taken back.</param>
    /// <returns>The mounts of the container's root.</returns>
    /// <exception cref="RpcException">A step was refused; nothing is left of the others.</exception>
    public async Task<IReadOnlyList<Mount>> CreateAsync(
        Container container,
        string parent,
        Func<IReadOnlyList<Mount>, CancellationToken, Task> complete,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(container);
        ArgumentNullException.ThrowIfNull(complete);
        TemporaryLease lease = await TemporaryLease.CreateAsync(connection, time, cancellation).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
        {
            // The two calls that make something are not cancelled half-way: only their answer says what there is to take back.
            PrepareSnapshotResponse prepared = await lease.Connection.Snapshots.PrepareAsync(
                new PrepareSnapshotRequest { Snapshotter = container.Snapshotter, Key = container.Id, Parent = parent },
                deadline: DateTime.UtcNow + UndoTimeout, cancellationToken: CancellationToken.None).ConfigureAwait(false);
            try
            {
                container.SnapshotKey = container.Id;
                await complete(prepared.Mounts, cancellation).ConfigureAwait(false);
                cancellation.ThrowIfCancellationRequested();
                await lease.Connection.Containers.CreateAsync(
                    new CreateContainerRequest { Container = container },
                    deadline: DateTime.UtcNow + UndoTimeout, cancellationToken: CancellationToken.None).ConfigureAwait(false);
            }
            catch
            {
                await UndoAsync(undo => RemoveSnapshotAsync(container.Snapshotter, container.Id, undo)).ConfigureAwait(false);
                throw;
            }

            return prepared.Mounts;
        }
    }

    /// <summary>Removes the container, its task and its snapshot, each if it is still there.</summary>
    /// <param name="id">The container.</param>
    /// <param name="force">Kill a task that runs; without it such a container is refused.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="RpcException">The container is missing, or runs and <paramref name="force"/> is false.</exception>
    public async Task RemoveAsync(string id, bool force, CancellationToken cancellation)
    {
        GetContainerResponse found = await connection.Containers.GetAsync(
            new GetContainerRequest { Id = id }, cancellationToken: cancellation).ConfigureAwait(false);
        await RemoveTaskAsync(id, force, cancellation).ConfigureAwait(false);
        if (found.Container.SnapshotKey.Length > 0)
        {
            await RemoveSnapshotAsync(found.Container.Snapshotter, found.Container.SnapshotKey, cancellation).ConfigureAwait(false);
        }

        try
        {
            await connection.Containers.DeleteAsync(
                new DeleteContainerRequest { Id = id }, cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            // A container that its run removes when it has ended was removed so meanwhile.
            return;
        }
    }

    /// <summary>As <see cref="RemoveAsync"/> with force, for clean-up: nothing cancels it but time, and a missing part is fine.</summary>
    public Task CleanUpAsync(string id) => UndoAsync(async undo =>
    {
        try
        {
            await RemoveAsync(id, force: true, undo).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            return;
        }
    });

    /// <summary>Deletes the container's task, if it has one.</summary>
    public async Task RemoveTaskAsync(string id, bool force, CancellationToken cancellation)
    {
        var process = new TaskProcess(connection, id);
        GetResponse task;
        try
        {
            task = await connection.Tasks.GetAsync(
                new GetRequest { ContainerId = id }, cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            return;
        }

        V1.Types.Status status = task.Process.Status;
        if (status is not (V1.Types.Status.Stopped or V1.Types.Status.Created or V1.Types.Status.Unknown) && !force)
        {
            string word = status.ToString().ToLowerInvariant();
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition, $"task {id} must be stopped before deletion: {word}: failed precondition"));
        }

        if (status != V1.Types.Status.Stopped && await process.KillAsync(SigKill, all: true, cancellation).ConfigureAwait(false))
        {
            await process.WaitAsync(cancellation).ConfigureAwait(false);
        }

        await process.DeleteAsync(cancellation).ConfigureAwait(false);
    }

    private async Task RemoveSnapshotAsync(string snapshotter, string key, CancellationToken cancellation)
    {
        try
        {
            await connection.Snapshots.RemoveAsync(
                new RemoveSnapshotRequest { Snapshotter = snapshotter, Key = key }, cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            return;
        }
    }

    private async Task UndoAsync(Func<CancellationToken, Task> undo)
    {
        using var deadline = new CancellationTokenSource(UndoTimeout, time);
        await undo(deadline.Token).ConfigureAwait(false);
    }
}
