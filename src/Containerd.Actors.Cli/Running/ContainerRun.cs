// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Images;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Terminals;
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

/// <summary>Creates a container from an image and runs it, in the foreground or detached.</summary>
internal sealed class ContainerRun(Session session, RunRequest request)
{
    /// <summary>Where named pipes are made.</summary>
    public const string FifoRoot = "/run/containerd-actors/fifo";

    private const string LogRoot = "/var/lib/containerd-actors/logs";

    private readonly ContainerLifecycle _lifecycle = new(session.Connection, session.Time);
    private readonly StageTimes _stages = new(session.Time);
    private readonly string _id = request.Name ?? RandomNumberGenerator.GetHexString(12, lowercase: true);

    /// <summary>Runs the container and answers the exit code; prints the id of a detached one.</summary>
    /// <exception cref="CliFailure">Nothing runs, and nothing but the image is left.</exception>
    public async Task<int> ExecuteAsync(CancellationToken cancellation)
    {
        using SignalForwarding? signals = request.Detached ? null : SignalForwarding.Start();
        IReadOnlyList<Mount> rootfs = [];
        bool created = false;
        bool started = false;
        try
        {
            ResolvedImage image = await ResolveAsync(cancellation).ConfigureAwait(false);
            _stages.Over("image");
            rootfs = await CreateAsync(image, cancellation).ConfigureAwait(false);
            created = true;
            _stages.Over("snapshot and container");
            if (request.Detached)
            {
                await StartDetachedAsync(rootfs).ConfigureAwait(false);
                started = true;
                await session.Out.WriteLineAsync(_id).ConfigureAwait(false);
                return 0;
            }

            int status = await RunAttachedAsync(rootfs, signals!).ConfigureAwait(false);
            started = true;
            return status;
        }
        catch (RpcException refused)
        {
            CliFailure told = Failures.Of(refused, created ? _id : request.Image, session.Connection.Address);
            throw new CliFailure(told.Subject, told.Message, told.Hint, ExitCodes.OfStart(Failures.Text(refused)));
        }
        finally
        {
            // A container that never ran is of no use to anyone; one that ran is kept unless it was not wanted.
            if (created && (!started || request.Remove))
            {
                await CleanUpAsync().ConfigureAwait(false);
                _stages.Over("removal");
            }

            if (request.Timings)
            {
                foreach (string line in _stages.ToTable().Lines(0))
                {
                    await session.Error.WriteLineAsync(line).ConfigureAwait(false);
                }
            }
        }
    }

    /// <summary>Where the output of a detached container goes unless the user says otherwise.</summary>
    public static string DefaultLogPath(string name, string id) => Path.Combine(LogRoot, name, id + ".log");

    private string LogPath =>
        request.LogPath is { } path ? Path.GetFullPath(path) : DefaultLogPath(session.Connection.Namespace, _id);

    private async Task<ResolvedImage> ResolveAsync(CancellationToken cancellation)
    {
        var store = new ImageStore(session.Connection);
        Image? image = await store.FindAsync(request.Image, cancellation).ConfigureAwait(false);
        if (image is null && ImageNames.IsFullyQualified(request.Image))
        {
            await new Pulling.ImagePull(session.Connection, session.Error, Native.StandardError, json: false)
                .ExecuteAsync(new Node.V1.PullRequest { Reference = request.Image, Snapshotter = request.Snapshotter }, cancellation)
                .ConfigureAwait(false);
            image = await store.FindAsync(request.Image, cancellation).ConfigureAwait(false);
        }

        return image is null
            ? throw new CliFailure(
                request.Image, "image not found", "pull it with \"cactl pull HOST/NAME:TAG\", or give the full name")
            : await store.ResolveAsync(image, PlatformMatcher.Default, cancellation).ConfigureAwait(false);
    }

    private Task<IReadOnlyList<Mount>> CreateAsync(ResolvedImage image, CancellationToken cancellation)
    {
        var container = new Container
        {
            Id = _id,
            Image = image.Name,
            Snapshotter = request.Snapshotter,
            Runtime = new Container.Types.Runtime { Name = request.Runtime },
        };
        if (request.RuncBinary.Length > 0)
        {
            container.Runtime.Options = TypedAny.Of(new Runc.V1.Options { BinaryName = request.RuncBinary });
        }

        foreach ((string key, string value) in ContainerLabels.OfImage(image.Config.Config.Labels ?? new Dictionary<string, string>()))
        {
            container.Labels[key] = value;
        }

        if (image.Config.Config.StopSignal is { Length: > 0 } stopSignal)
        {
            container.Labels[ContainerLabels.StopSignal] = stopSignal;
        }

        foreach ((string key, string value) in request.Labels)
        {
            container.Labels[key] = value;
        }

        if (request.Detached)
        {
            container.Labels[ContainerLabels.LogPath] = LogPath;
        }

        return _lifecycle.CreateAsync(
            container,
            image.ChainId,
            (rootfs, _) =>
            {
                var composer = new SpecComposer(session.Connection.Namespace, _id, request, image.Config.Config);
                container.Spec = TypedAny.OfJson(TypedAny.SpecUrl, composer.Compose(rootfs));
                return Task.CompletedTask;
            },
            cancellation);
    }

    private async Task StartDetachedAsync(IReadOnlyList<Mount> rootfs)
    {
        Directory.CreateDirectory(
            Path.GetDirectoryName(LogPath)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string uri = "file://" + LogPath;
        var task = new CreateTaskRequest { ContainerId = _id, Stdout = uri, Stderr = uri };
        await CreateTaskAsync(task, rootfs).ConfigureAwait(false);
        await new TaskProcess(session.Connection, _id).StartAsync(CancellationToken.None).ConfigureAwait(false);
        _stages.Over("task start");
    }

    private async Task<int> RunAttachedAsync(IReadOnlyList<Mount> rootfs, SignalForwarding signals)
    {
        using FifoSet fifos = FifoSet.Create(FifoRoot, _id, request.Interactive, request.Terminal);
        var task = new CreateTaskRequest
        {
            ContainerId = _id,
            Stdin = fifos.Stdin,
            Stdout = fifos.Stdout,
            Stderr = fifos.Stderr,
            Terminal = request.Terminal,
        };
        await CreateTaskAsync(task, rootfs).ConfigureAwait(false);
        var process = new TaskProcess(session.Connection, _id);
        int status = await new AttachedProcess(process, fifos, request.Terminal, request.Interactive, session.Time)
            .RunAsync(signals, () => _stages.Over("task start")).ConfigureAwait(false);
        _stages.Over("process");
        return status;
    }

    private async Task CreateTaskAsync(CreateTaskRequest task, IReadOnlyList<Mount> rootfs)
    {
        task.Rootfs.AddRange(rootfs);
        if (request.RuncBinary.Length > 0)
        {
            task.Options = TypedAny.Of(new Runc.V1.Options { BinaryName = request.RuncBinary });
        }

        await session.Connection.Tasks.CreateAsync(task, cancellationToken: CancellationToken.None).ConfigureAwait(false);
        _stages.Over("task create");
    }

    private async Task CleanUpAsync()
    {
        try
        {
            await _lifecycle.CleanUpAsync(_id).ConfigureAwait(false);
        }
        catch (Exception refused) when (refused is RpcException or OperationCanceledException)
        {
            string line = new CliFailure(_id, $"not removed: {refused.Message}", $"\"cactl rm -f {_id}\"").Line;
            await session.Error.WriteLineAsync(line).ConfigureAwait(false);
        }
    }
}
