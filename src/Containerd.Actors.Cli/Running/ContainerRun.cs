// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Images;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Terminals;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Actors.Client.Stdio;
using Containerd.Actors.Client.Values;
using Containerd.Services.Images.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Cli.Running;

/// <summary>Creates a container from an image and runs it, in the foreground or detached.</summary>
/// <remarks>By one call where the daemon serves it (<see cref="TreeRun"/>), otherwise step by step (<see cref="StepwiseRun"/>).</remarks>
internal sealed class ContainerRun(Session session, RunRequest request)
{
    /// <summary>Where named pipes are made.</summary>
    public const string FifoRoot = "/run/containerd-actors/fifo";

    private const string LogRoot = "/var/lib/containerd-actors/logs";

    /// <summary>The container's id.</summary>
    public string Id { get; } = request.Name ?? RandomNumberGenerator.GetHexString(12, lowercase: true);

    /// <summary>How long it all took.</summary>
    public StageTimes Stages { get; } = new(session.Time);

    /// <summary>Options for the runtime; null for none.</summary>
    public Any? RuntimeOptions { get; } =
        request.RuncBinary.Length > 0 ? TypedAny.Of(new Runc.V1.Options { BinaryName = request.RuncBinary }) : null;

    /// <summary>Labels over those of the image.</summary>
    public IEnumerable<KeyValuePair<string, string>> Labels =>
        request.Detached ? request.Labels.Append(KeyValuePair.Create(ContainerLabels.LogPath, LogPath)) : request.Labels;

    private string LogPath =>
        request.LogPath is { } path ? Path.GetFullPath(path) : DefaultLogPath(session.Connection.Namespace, Id);

    /// <summary>Where the output of a detached container goes unless the user says otherwise.</summary>
    public static string DefaultLogPath(string name, string id) => Path.Combine(LogRoot, name, id + ".log");

    /// <summary>Runs the container and answers the exit code; prints the id of a detached one.</summary>
    /// <exception cref="CliFailure">Nothing runs, and nothing but the image is left.</exception>
    public async Task<int> ExecuteAsync(CancellationToken cancellation)
    {
        using SignalForwarding? signals = request.Detached ? null : SignalForwarding.Start();
        try
        {
            int status = await RunAsync(signals, cancellation).ConfigureAwait(false);
            if (request.Detached)
            {
                await session.Out.WriteLineAsync(Id).ConfigureAwait(false);
            }

            return status;
        }
        catch (RpcException refused) when (refused.StatusCode != StatusCode.Cancelled || !cancellation.IsCancellationRequested)
        {
            string about = Failures.Text(refused).Contains($"image \"{request.Image}", StringComparison.Ordinal) ? request.Image : Id;
            CliFailure told = Failures.Of(refused, about, session.Connection.Address);
            throw new CliFailure(told.Subject, told.Message, told.Hint, ExitCodes.OfStart(Failures.Text(refused)));
        }
        finally
        {
            if (request.Timings)
            {
                foreach (string line in Stages.ToTable().Lines(0))
                {
                    await session.Error.WriteLineAsync(line).ConfigureAwait(false);
                }
            }
        }
    }

    /// <summary>The image, pulled if it is missing and says from where.</summary>
    /// <exception cref="CliFailure">There is no such image.</exception>
    public async Task<Image> FindImageAsync(CancellationToken cancellation)
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

        return image ?? throw new CliFailure(
            request.Image, "image not found", "pull it with \"cactl pull HOST/NAME:TAG\", or give the full name");
    }

    /// <summary>The pipes of a container in the foreground.</summary>
    public FifoSet CreateFifos() => FifoSet.Create(FifoRoot, Id, request.Interactive, request.Terminal);

    /// <summary>Makes the directory of the log of a detached container; answers the log as a URI.</summary>
    public string OpenLog()
    {
        Directory.CreateDirectory(
            Path.GetDirectoryName(LogPath)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return "file://" + LogPath;
    }

    /// <summary>Removes all of the container; what cannot be removed is told, and the run is not refused for it.</summary>
    public async Task CleanUpAsync(ContainerLifecycle lifecycle)
    {
        try
        {
            await lifecycle.CleanUpAsync(Id).ConfigureAwait(false);
        }
        catch (Exception refused) when (refused is RpcException or OperationCanceledException)
        {
            await TellRemainsAsync(refused.Message).ConfigureAwait(false);
        }
    }

    /// <summary>Tells that the container was not removed.</summary>
    public Task TellRemainsAsync(string reason) =>
        session.Error.WriteLineAsync(new CliFailure(Id, $"not removed: {reason}", $"\"cactl rm -f {Id}\"").Line);

    private async Task<int> RunAsync(SignalForwarding? signals, CancellationToken cancellation)
    {
        try
        {
            return await new TreeRun(session, request, this).ExecuteAsync(signals, cancellation).ConfigureAwait(false);
        }
        catch (RpcException other) when (other.StatusCode == StatusCode.Unimplemented)
        {
            return await new StepwiseRun(session, request, this).ExecuteAsync(signals, cancellation).ConfigureAwait(false);
        }
    }
}
