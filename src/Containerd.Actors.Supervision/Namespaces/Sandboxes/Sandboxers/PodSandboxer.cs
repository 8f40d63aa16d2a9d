// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Sandboxes;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

/// <summary>Sandboxes that are held open by a container of the same id, which does nothing but pause.</summary>
/// <remarks>
/// The container runs the sandbox's spec on the mounts of the request. Without a spec it runs <c>/pause</c>, without mounts it gets a
/// snapshot of the configured image, which must be there. Every step is a request to the tree like a client's, made by the policy
/// <c>podsandbox</c>; container and task are what is recovered after a crash.
/// </remarks>
/// <param name="tree">The root of the tree.</param>
/// <param name="settings">The pause image.</param>
/// <param name="time">The clock.</param>
internal sealed class PodSandboxer(IActorRef tree, SandboxesSettings settings, TimeProvider time) : ISandboxer
{
    private const string KindLabel = "io.cri-containerd.kind";
    private const string RuntimeDefault = "io.containerd.runc.v2";
    private const uint StatusUnknown = 255;
    private const uint SignalKill = 9;
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromSeconds(15);
    private static readonly ProcessStdio NoStdio = new("", "", "", false);

    /// <summary>On whose behalf the container is kept.</summary>
    internal static Caller By { get; } = Caller.Policy("podsandbox");

    /// <inheritdoc />
    public string Name => "podsandbox";

    /// <inheritdoc />
    public async Task<ISandbox> CreateAsync(SandboxControl.Create command, SandboxRecord sandbox, CancellationToken cancellationToken)
    {
        (string ns, string id) = (command.Namespace, command.SandboxId);
        ContainerRecord container = new(id)
        {
            Labels = sandbox.Labels.SetItem(KindLabel, "sandbox"),
            RuntimeName = sandbox.RuntimeName.Length > 0 ? sandbox.RuntimeName : RuntimeDefault,
            RuntimeOptions = sandbox.RuntimeOptions,
            Spec = sandbox.Spec is { Value.IsEmpty: false } given ? given : SpecOf(ns, id, command.NetworkNamespace),
        };
        bool isMade = false;
        try
        {
            ImmutableArray<RootfsMount> rootfs = command.Rootfs;
            if (rootfs.IsEmpty)
            {
                container = container with { Image = settings.PauseImage, Snapshotter = settings.PauseSnapshotter, SnapshotKey = id };
                rootfs = await PrepareAsync(ns, id, cancellationToken).ConfigureAwait(false);
                isMade = true;
            }

            await AskAsync(new ContainerCommands.Create(ns, container, By), cancellationToken).ConfigureAwait(false);
            isMade = true;
            await AskAsync(new TaskCommands.Create(ns, id, rootfs, NoStdio, By), cancellationToken).ConfigureAwait(false);
            return new PodSandbox(this, ns, id);
        }
        catch (Exception e) when (e is RefusedException or OperationCanceledException)
        {
            // What had been there before under this id is not ours to remove.
            if (isMade)
            {
                await TakeBackAsync(ns, id).ConfigureAwait(false);
            }

            throw e is RefusedException refused ? new RefusedException(refused.Error.While($"failed to create sandbox {id}"), refused) : e;
        }
    }

    /// <inheritdoc />
    public async Task<ISandbox?> LoadAsync(string ns, string id, CancellationToken cancellationToken)
    {
        try
        {
            await AskAsync(new TaskQueries.Get(ns, id, "", By), cancellationToken).ConfigureAwait(false);
            return new PodSandbox(this, ns, id);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            return null;
        }
    }

    /// <inheritdoc />
    public async Task<SandboxExit> CleanUpAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken)
    {
        SandboxExit exit = new(StatusUnknown, time.GetUtcNow());
        await EndAsync(ns, id, cancellationToken).ConfigureAwait(false);
        if (await TryAsync(new TaskCommands.Delete(ns, id, By), cancellationToken).ConfigureAwait(false) is { } ended)
        {
            exit = new SandboxExit(ended.Status, ended.ExitedAt ?? exit.ExitedAt);
        }

        ContainerRecord? container = await TryAsync(new ContainerQueries.Get(ns, id, By), cancellationToken).ConfigureAwait(false);
        if (container?.Labels.GetValueOrDefault(KindLabel) == "sandbox")
        {
            await TryAsync(new ContainerCommands.Delete(ns, id, By), cancellationToken).ConfigureAwait(false);
        }

        // Interrupted between snapshot and container it is the snapshot alone that is left.
        await TryAsync(new SnapshotCommands.Remove(ns, settings.PauseSnapshotter, id, By), cancellationToken).ConfigureAwait(false);
        return exit;
    }

    /// <summary>Ends the pausing process and waits for its end; it holds no state that a gentler signal would save.</summary>
    internal async Task EndAsync(string ns, string id, CancellationToken cancellationToken)
    {
        await TryAsync(new TaskCommands.Kill(ns, id, "", SignalKill, true, By), cancellationToken).ConfigureAwait(false);
        await TryAsync(new TaskQueries.Wait(ns, id, "", By), cancellationToken).ConfigureAwait(false);
    }

    internal async Task<T> AskAsync<T>(IRequest<T> request, CancellationToken cancellationToken) =>
        (await tree.Ask<Reply<T>>(request, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false)).Value;

    private async Task<T?> TryAsync<T>(IRequest<T> request, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await AskAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            return null;
        }
    }

    private async Task<ImmutableArray<RootfsMount>> PrepareAsync(string ns, string id, CancellationToken cancellationToken)
    {
        NamespaceState state = await AskAsync(new NamespaceQueries.GetState(ns), cancellationToken).ConfigureAwait(false);
        string chain = UnpackedImage.TopSnapshot(state, settings.PauseImage, settings.PauseSnapshotter) ?? throw new RefusedException(Error.NotFound(
            $"image \"{settings.PauseImage}\" is not unpacked for {settings.PauseSnapshotter}; pull it first ({SandboxesSettings.Root}.podsandbox.image)"));
        ImmutableArray<Mount> mounts = await AskAsync(
            new SnapshotterCommands.Prepare(ns, settings.PauseSnapshotter, SnapshotKind.Active, id, chain, Labels.None, By), cancellationToken)
            .ConfigureAwait(false);
        return [.. mounts.Select(mount => new RootfsMount(mount.Type, mount.Source, mount.Target, mount.Options))];
    }

    private async Task TakeBackAsync(string ns, string id)
    {
        using CancellationTokenSource limit = new(UndoTimeout, time);
        try
        {
            await CleanUpAsync(ns, id, "", limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RefusedException or OperationCanceledException)
        {
            // What is left is a container with a label that says what it was for; the next clean-up under this id takes it.
        }
    }

    private static AnyValue SpecOf(string ns, string id, string networkNamespace)
    {
        RuntimeSpec spec = RuntimeSpecBuilder.Build(ns, id, new RuntimeSpecOptions { Args = ["/pause"], IsRootReadonly = true, Hostname = id });
        if (networkNamespace.Length > 0)
        {
            spec = spec with
            {
                Linux = spec.Linux with
                {
                    Namespaces =
                    [
                        .. spec.Linux.Namespaces.Where(each => each.Type != "network"), new LinuxNamespaceSpec("network", networkNamespace),
                    ],
                },
            };
        }

        return new AnyValue(RuntimeSpec.TypeUrl, spec.ToJson());
    }
}
