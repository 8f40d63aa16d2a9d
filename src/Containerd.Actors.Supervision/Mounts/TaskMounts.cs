// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Mounts;

/// <summary>Root file systems of tasks as activations: under the id of the task, kept by its container. Those of sandboxes likewise.</summary>
/// <param name="timeout">Longest wait for an answer.</param>
public sealed class TaskMounts(TimeSpan timeout) : IRootfsMounts
{
    /// <summary>Label by which a container keeps what is mounted for its task, as in containerd.</summary>
    public const string KeeperLabel = "containerd.io/gc.bref.container";

    private static readonly Caller By = Caller.Policy("task-mounts");
    private readonly TaskCompletionSource<IActorRef> _tree = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The tree lives; who was earlier has waited.</summary>
    public void Connect(IActorRef tree) => _tree.TrySetResult(tree);

    /// <inheritdoc />
    public async Task<ImmutableArray<RootfsMount>> ActivateAsync(
        string ns, string id, ImmutableArray<RootfsMount> mounts, Caller by, CancellationToken cancellationToken)
    {
        ImmutableArray<Mount> wanted = [.. mounts.Select(mount => new Mount(mount.Type, mount.Source, mount.Target, mount.Options))];
        if (MountPlan.Of(wanted) is null)
        {
            return mounts;
        }

        // There is no task or sandbox of this id, so what an earlier one left belongs to none.
        await DeactivateAsync(ns, id, cancellationToken).ConfigureAwait(false);
        Activation activation = (await AskAsync(
            new MountCommands.Activate(ns, id, wanted, Labels.None.Add(KeeperLabel, id), IsTemporary: false, by with { Lease = "" }),
            cancellationToken).ConfigureAwait(false)).Value;
        return [.. activation.System.Select(mount => new RootfsMount(mount.Type, mount.Source, mount.Target, mount.Options))];
    }

    /// <inheritdoc />
    public async Task DeactivateAsync(string ns, string id, CancellationToken cancellationToken)
    {
        // A client may have used the name for something else.
        if (await AskAsync(new MountCommands.Get(ns, id), cancellationToken).ConfigureAwait(false) is Done<Activation> found
            && found.Result.Labels.GetValueOrDefault(KeeperLabel) == id)
        {
            Reply<Nothing> reply = await AskAsync(new MountCommands.Deactivate(ns, id, By), cancellationToken).ConfigureAwait(false);
            if (reply is Refused<Nothing> { Error.Kind: not ErrorKind.NotFound } refused)
            {
                throw new RefusedException(refused.Error);
            }
        }
    }

    private async Task<Reply<T>> AskAsync<T>(IRequest<T> request, CancellationToken cancellationToken)
    {
        try
        {
            IActorRef tree = await _tree.Task.WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
            return await tree.Ask<Reply<T>>(request, timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception late) when (late is AskTimeoutException or TimeoutException)
        {
            throw new RefusedException(new Error(ErrorKind.DeadlineExceeded, $"{request.GetType().Name}: mounts were not answered for within {timeout}"), late);
        }
    }
}
