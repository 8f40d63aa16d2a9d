// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Lifecycles;
using Containerd.Actors.Client.Values;
using Containerd.Runs.V1;
using Grpc.Core;

namespace Containerd.Actors.Cli.Running;

/// <summary>The call that runs a container: its answers one after the other.</summary>
internal sealed class RunCall : IAttachment, IDisposable
{
    private readonly Session _session;
    private readonly Runs.V1.RunRequest _message;
    private readonly ContainerRun _run;
    private readonly CancellationToken _cancellation;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AsyncServerStreamingCall<RunResponse>? _call;
    private bool _isBroken;

    public RunCall(Session session, Runs.V1.RunRequest message, ContainerRun run, CancellationToken cancellation) =>
        (_session, _message, _run, _cancellation) = (session, message, run, cancellation);

    /// <inheritdoc />
    public bool IsCreated => false;

    /// <summary>Has the container made and started; an image that is missing is pulled where its name says from where.</summary>
    /// <exception cref="RpcException">The daemon refused, and nothing is left.</exception>
    public async Task StartAsync()
    {
        try
        {
            if (!await TryStartAsync().ConfigureAwait(false))
            {
                await _run.FindImageAsync(_cancellation).ConfigureAwait(false);
                _call!.Dispose();
                await OpenAsync().ConfigureAwait(false);
            }

            _started.SetResult();
        }
        catch (Exception refused)
        {
            _started.SetException(refused);
            throw;
        }
    }

    /// <inheritdoc />
    public async Task<ProcessExit> WaitAsync()
    {
        await _started.Task.ConfigureAwait(false);
        try
        {
            if (await NextAsync(CancellationToken.None).ConfigureAwait(false) is { Exited: { } exited })
            {
                return new ProcessExit((int)exited.Status, Instant.From(exited.ExitedAt));
            }
        }
        catch (RpcException)
        {
            // Once the process runs nothing is refused: the daemon is gone. The process goes on, and the next daemon knows its end.
        }

        _isBroken = true;
        return await new TaskAttachment(new TaskProcess(_session.Connection, _message.Id), _session.Time).WaitAsync().ConfigureAwait(false);
    }

    /// <summary>Waits until nothing more comes; false when the daemon went away before.</summary>
    /// <exception cref="RpcException">The container could not be removed.</exception>
    public async Task<bool> EndAsync()
    {
        while (!_isBroken && await NextAsync(CancellationToken.None).ConfigureAwait(false) is not null)
        {
        }

        return !_isBroken;
    }

    /// <inheritdoc />
    public void Dispose() => _call?.Dispose();

    // Which of its objects the daemon does not know is told by looking at the image.
    private async Task<bool> TryStartAsync()
    {
        try
        {
            await OpenAsync().ConfigureAwait(false);
            return true;
        }
        catch (RpcException missing) when (missing.StatusCode == StatusCode.NotFound
            && missing.Status.Detail.StartsWith($"image \"{_message.Image}\"", StringComparison.Ordinal))
        {
            return false;
        }
    }

    // Hanging up before the first answer gives the run up.
    private async Task OpenAsync()
    {
        _call = _session.Connection.Runs.Run(_message, cancellationToken: CancellationToken.None);
        using CancellationTokenRegistration givingUp = _cancellation.Register(_call.Dispose);
        if (await NextAsync(_cancellation).ConfigureAwait(false) is not { Started: not null })
        {
            throw new RpcException(new Status(StatusCode.Internal, $"run of {_message.Id}: the daemon did not say that it runs"));
        }
    }

    private async Task<RunResponse?> NextAsync(CancellationToken cancellation)
    {
        if (!await _call!.ResponseStream.MoveNext(cancellation).ConfigureAwait(false))
        {
            return null;
        }

        RunResponse response = _call.ResponseStream.Current;
        foreach (RunStage stage in response.Stages)
        {
            _run.Stages.Told(stage.Name, TimeSpan.FromMicroseconds(stage.Microseconds));
        }

        return response;
    }
}
