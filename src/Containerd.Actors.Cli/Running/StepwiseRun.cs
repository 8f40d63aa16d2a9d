// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Images;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Actors.Client.Stdio;
using Containerd.Actors.Client.Values;
using Containerd.Actors.Oci.Images;
using Containerd.Services.Containers.V1;
using Containerd.Services.Images.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Types;
using Grpc.Core;

namespace Containerd.Actors.Cli.Running;

/// <summary>A run by containerd's own calls, one after the other: for daemons that do not serve <c>Runs</c>.</summary>
internal sealed class StepwiseRun(Session session, RunRequest request, ContainerRun run)
{
    private readonly ContainerLifecycle _lifecycle = new(session.Connection, session.Time);

    /// <summary>Runs the container and answers the exit status; 0 for one that was left running.</summary>
    /// <exception cref="RpcException">A call was refused; nothing but the image is left.</exception>
    public async Task<int> ExecuteAsync(SignalForwarding? signals, CancellationToken cancellation)
    {
        bool started = false;
        Image image = await run.FindImageAsync(cancellation).ConfigureAwait(false);
        ResolvedImage resolved = await new ImageStore(session.Connection)
            .ResolveAsync(image, PlatformMatcher.Default, cancellation).ConfigureAwait(false);
        run.Stages.Over("image");
        IReadOnlyList<Mount> rootfs = await CreateAsync(resolved, cancellation).ConfigureAwait(false);
        run.Stages.Over("snapshot and container");
        try
        {
            int status = 0;
            if (signals is null)
            {
                await StartDetachedAsync(rootfs).ConfigureAwait(false);
            }
            else
            {
                status = await RunAttachedAsync(rootfs, signals).ConfigureAwait(false);
            }

            started = true;
            return status;
        }
        finally
        {
            // A container that never ran is of no use to anyone; one that ran is kept unless it was not wanted.
            if (!started || request.Remove)
            {
                await run.CleanUpAsync(_lifecycle).ConfigureAwait(false);
                run.Stages.Over("removal");
            }
        }
    }

    private Task<IReadOnlyList<Mount>> CreateAsync(ResolvedImage image, CancellationToken cancellation)
    {
        var container = new Container
        {
            Id = run.Id,
            Image = image.Name,
            Snapshotter = request.Snapshotter,
            Runtime = new Container.Types.Runtime { Name = request.Runtime },
        };
        if (run.RuntimeOptions is { } options)
        {
            container.Runtime.Options = options;
        }

        foreach ((string key, string value) in InheritedLabels.Of(image.Config.Config).Concat(run.Labels))
        {
            container.Labels[key] = value;
        }

        return _lifecycle.CreateAsync(
            container,
            image.ChainId,
            (rootfs, _) =>
            {
                var composer = new SpecComposer(session.Connection.Namespace, run.Id, request, image.Config.Config);
                container.Spec = TypedAny.OfJson(TypedAny.SpecUrl, composer.Compose(rootfs));
                return Task.CompletedTask;
            },
            cancellation);
    }

    private async Task StartDetachedAsync(IReadOnlyList<Mount> rootfs)
    {
        string uri = run.OpenLog();
        await CreateTaskAsync(new CreateTaskRequest { ContainerId = run.Id, Stdout = uri, Stderr = uri }, rootfs).ConfigureAwait(false);
        await new TaskProcess(session.Connection, run.Id).StartAsync(CancellationToken.None).ConfigureAwait(false);
        run.Stages.Over("task start");
    }

    private async Task<int> RunAttachedAsync(IReadOnlyList<Mount> rootfs, SignalForwarding signals)
    {
        using FifoSet fifos = run.CreateFifos();
        var task = new CreateTaskRequest
        {
            ContainerId = run.Id,
            Stdin = fifos.Stdin,
            Stdout = fifos.Stdout,
            Stderr = fifos.Stderr,
            Terminal = request.Terminal,
        };
        await CreateTaskAsync(task, rootfs).ConfigureAwait(false);
        var process = new TaskProcess(session.Connection, run.Id);
        TaskAttachment attachment = new(process, session.Time);
        int status = await new AttachedProcess(attachment, process, fifos, request.Terminal, request.Interactive, session.Time)
            .RunAsync(signals, () => run.Stages.Over("task start")).ConfigureAwait(false);
        run.Stages.Over("process");
        return status;
    }

    private async Task CreateTaskAsync(CreateTaskRequest task, IReadOnlyList<Mount> rootfs)
    {
        task.Rootfs.AddRange(rootfs);
        if (run.RuntimeOptions is { } options)
        {
            task.Options = options;
        }

        await session.Connection.Tasks.CreateAsync(task, cancellationToken: CancellationToken.None).ConfigureAwait(false);
        run.Stages.Over("task create");
    }
}
