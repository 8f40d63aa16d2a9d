// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Event;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Runs;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Containerd.Actors.Supervision.Namespaces.Transfers;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Namespaces.Runs;

/// <summary>A container that runs.</summary>
/// <param name="Record">Its record as it was stored.</param>
/// <param name="Pid">Its first process.</param>
internal sealed record RunningContainer(ContainerRecord Record, uint Pid);

/// <summary>What a run asks of the tree: requests like a client's, in order, each decided by whoever owns its object.</summary>
/// <remarks>
/// <code>
/// image -> snapshot -> (user) -> container -> task -> (terminal) -> start
/// </code>
/// A step that was begun is waited for also when the run is given up: its answer tells what there is to take back. No lease is taken:
/// until the record keeps the snapshot, the run does, in the memory of its namespace, and a daemon that is killed in between leaves a
/// snapshot that nothing keeps.
/// </remarks>
internal sealed class RunWork(string ns, Caller by, TreeAsk tree, ContentAccess content, ImageWalk walk, StageClock stages, ILoggingAdapter log)
    : IDisposable
{
    private const uint SignalKill = 9;

    /// <summary>Makes and starts the container; when that fails, nothing is left of it.</summary>
    /// <exception cref="RefusedException">A step was refused.</exception>
    /// <exception cref="OperationCanceledException">The run was given up.</exception>
    public async Task<RunningContainer> StartAsync(RunWish wish, CancellationToken givenUp)
    {
        RunStep step = RunStep.Image;
        ContainerRecord? asked = null;
        try
        {
            (string name, ImageConfig image) = await stages.TimeAsync("image", () => FindAsync(wish, givenUp)).ConfigureAwait(false);
            Begin(RunStep.Snapshot);
            ImmutableArray<Mount> mounts = await stages.TimeAsync("snapshot", () => PrepareAsync(wish, image)).ConfigureAwait(false);
            Begin(RunStep.Container);
            ContainerRecord record = await stages.TimeAsync("container", () => CreateAsync(name, image, mounts)).ConfigureAwait(false);
            Begin(RunStep.Task);
            await stages.TimeAsync("task create", () => tree.FinishAsync(
                new TaskCommands.Create(ns, wish.Id, RunPlan.Rootfs(mounts), wish.Stdio, by))).ConfigureAwait(false);
            Begin(RunStep.Start);
            uint pid = await stages.TimeAsync("task start", () => StartTaskAsync(wish)).ConfigureAwait(false);
            return new RunningContainer(record, pid);
        }
        catch (Exception cause)
        {
            Error? error = cause is OperationCanceledException ? null : PullActor.ErrorOf(cause);
            await TakeBackAsync(wish, asked, RunPlan.Remains(step, error)).ConfigureAwait(false);
            throw;
        }
        finally
        {
            _ = tree.TryAsync(new ContainerRoots.Remove(ns, ContainerRoot.IdOfRun(wish.Id), by));
        }

        void Begin(RunStep next)
        {
            step = next;
            givenUp.ThrowIfCancellationRequested();
        }

        async Task<ContainerRecord> CreateAsync(string name, ImageConfig image, ImmutableArray<Mount> mounts)
        {
            UserSpec? user = RunPlan.UserName(wish, image.Config) is { } named
                ? await tree.AskAsync(new MountCommands.FindUser(ns, mounts, named), givenUp).ConfigureAwait(false)
                : null;
            asked = RunPlan.Container(ns, wish, name, image.Config, user);
            return await tree.FinishAsync(new ContainerCommands.Create(ns, asked, by)).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for the end of the container's first process.</summary>
    /// <exception cref="RefusedException">There is no task, or it is away for a moment.</exception>
    public Task<ProcessExit> WaitAsync(string id, CancellationToken stopping) =>
        stages.TimeAsync("process", () => tree.AwaitAsync(new TaskQueries.Wait(ns, id, "", by), stopping));

    /// <summary>As <see cref="WaitAsync"/> for what an earlier daemon left; a process that was never started has ended.</summary>
    public async Task<ProcessExit> WaitForLeftAsync(string id, CancellationToken stopping)
    {
        ProcessRecord process = await tree.AskAsync(new TaskQueries.Get(ns, id, "", by), stopping).ConfigureAwait(false);
        return process.Status == ProcessStatus.Created
            ? new ProcessExit(process.Pid, 0, null)
            : await WaitAsync(id, stopping).ConfigureAwait(false);
    }

    /// <summary>The stages that are over since this was asked last.</summary>
    public ImmutableArray<RunStage> TakeStages() => stages.Take();

    /// <inheritdoc />
    public void Dispose() => stages.Dispose();

    /// <summary>Removes task, record and snapshot of a container, each if it is still there; not those of another that has its id meanwhile.</summary>
    /// <exception cref="RefusedException">Something could not be removed.</exception>
    public Task<Nothing> RemoveAsync(ContainerRecord record) => stages.TimeAsync("removal", async () =>
    {
        if (await FindOrNullAsync(new ContainerQueries.Get(ns, record.Id, by)).ConfigureAwait(false) is not { } found
            || found.CreatedAt != record.CreatedAt)
        {
            return Nothing.Value;
        }

        await EndTaskAsync(record.Id).ConfigureAwait(false);
        await Task.WhenAll(
            FindOrNullAsync(new SnapshotCommands.Remove(ns, record.Snapshotter, record.SnapshotKey, by)),
            FindOrNullAsync(new ContainerCommands.Delete(ns, record.Id, by))).ConfigureAwait(false);
        return Nothing.Value;
    });

    private async Task<(string Name, ImageConfig Config)> FindAsync(RunWish wish, CancellationToken givenUp)
    {
        NamespaceState state = await content.StateAsync(givenUp).ConfigureAwait(false);
        ImageRecord image = StoredNames.Candidates(wish.Image).Select(name => state.Images.GetValueOrDefault(name)).FirstOrDefault(found => found is not null)
            ?? throw new RefusedException(Error.NotFound($"image \"{wish.Image}\""));
        Descriptor target = image.Target;
        Descriptor manifest = MediaTypes.IsIndex(target.MediaType)
            ? PlatformMatcher.Default.Choose(await walk.IndexAsync(target, givenUp).ConfigureAwait(false))
                .FirstOrDefault(each => state.Content.ContainsKey(each.Digest))
                ?? throw new RefusedException(Error.NotFound($"image \"{image.Name}\" for platform {Platforms.Text(Platforms.Host)}"))
            : target;
        Descriptor config = (await walk.ManifestAsync(manifest, givenUp).ConfigureAwait(false)).Config
            ?? throw new RefusedException(Error.Invalid($"image \"{image.Name}\": its manifest names no configuration"));
        return (image.Name, await walk.ConfigAsync(config, givenUp).ConfigureAwait(false));
    }

    private Task<ImmutableArray<Mount>> PrepareAsync(RunWish wish, ImageConfig image)
    {
        // Told before: whoever collects garbage knows of it when there is something to collect.
        _ = tree.TryAsync(new ContainerRoots.Set(ns, ContainerRoot.OfRun(wish.Id, wish.Snapshotter), by));
        string parent = image.RootFs.DiffIds.Count == 0 ? "" : ChainId.Of(image.RootFs.DiffIds).ToString();
        return tree.FinishAsync(new SnapshotterCommands.Prepare(ns, wish.Snapshotter, SnapshotKind.Active, wish.Id, parent, Labels.None, by));
    }

    private async Task<uint> StartTaskAsync(RunWish wish)
    {
        if (wish.TerminalSize is { } size)
        {
            await tree.FinishAsync(new TaskCommands.ResizePty(ns, wish.Id, "", size.Width, size.Height, by)).ConfigureAwait(false);
        }

        return await tree.FinishAsync(new TaskCommands.Start(ns, wish.Id, "", by)).ConfigureAwait(false);
    }

    private async Task TakeBackAsync(RunWish wish, ContainerRecord? asked, ImmutableArray<RunRemains> remains)
    {
        foreach (RunRemains each in remains)
        {
            try
            {
                await (each switch
                {
                    RunRemains.Task => EndTaskAsync(wish.Id),
                    RunRemains.Container when asked is not null => DeleteAsync(asked),
                    RunRemains.Snapshot => FindOrNullAsync(new SnapshotCommands.Remove(ns, wish.Snapshotter, wish.Id, by)),
                    _ => Task.CompletedTask,
                }).ConfigureAwait(false);
            }
            catch (RefusedException refused)
            {
                log.Warning("run of {0} in {1} failed, and its {2} is left: {3}", wish.Id, ns, each, refused.Error.Text);
            }
        }
    }

    private async Task DeleteAsync(ContainerRecord asked)
    {
        if (await FindOrNullAsync(new ContainerQueries.Get(ns, asked.Id, by)).ConfigureAwait(false) is { } found && RunPlan.IsSame(asked, found))
        {
            await FindOrNullAsync(new ContainerCommands.Delete(ns, asked.Id, by)).ConfigureAwait(false);
        }
    }

    private async Task EndTaskAsync(string id)
    {
        if (await FindOrNullAsync(new TaskQueries.Get(ns, id, "", by)).ConfigureAwait(false) is not { } process)
        {
            return;
        }

        if (process.Status != ProcessStatus.Stopped)
        {
            await FindOrNullAsync(new TaskCommands.Kill(ns, id, "", SignalKill, true, by)).ConfigureAwait(false);
            await FindOrNullAsync(new TaskQueries.Wait(ns, id, "", by)).ConfigureAwait(false);
        }

        await FindOrNullAsync(new TaskCommands.Delete(ns, id, by)).ConfigureAwait(false);
    }

    private async Task<T?> FindOrNullAsync<T>(IRequest<T> request)
        where T : class
    {
        try
        {
            return await tree.FinishAsync(request).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            return null;
        }
    }
}
