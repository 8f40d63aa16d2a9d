// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Shims;
using Containerd.Actors.Shims.Bundles;
using Containerd.Runtime.Task.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>One real shim.</summary>
/// <param name="connection">The connection to it.</param>
/// <param name="pump">Reads its log.</param>
/// <param name="endings">Takes the last part of a deletion, which no caller waits for.</param>
internal sealed class RuntimeShim(ShimConnection connection, LogPump pump, ShimEndings endings) : IShim
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Unlimited = Timeout.InfiniteTimeSpan;

    private Task _ended = Task.CompletedTask;

    public Task Closed => connection.Closed;

    public Task<ProcessExit> WaitAsync(string execId, CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        WaitResponse ended = await connection.Task.WaitAsync(execId, Unlimited, cancellationToken).ConfigureAwait(false);
        return new ProcessExit(0, ended.ExitStatus, ToMoment(ended.ExitedAt));
    });

    public Task<ProcessReport?> StateAsync(string execId, CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        try
        {
            StateResponse state = await connection.Task.StateAsync(execId, Unlimited, cancellationToken).ConfigureAwait(false);
            return new ProcessReport(execId, state.Pid, (ProcessStatus)state.Status, state.ExitStatus, ToMoment(state.ExitedAt));
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            return null;
        }
    });

    public Task<ShimSignal> CallAsync(ShimRequest request, CancellationToken cancellationToken) =>
        GuardAsync(() => CarryOutAsync(request, cancellationToken));

    public Task<ProcessExit> DeleteAsync(CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        DeleteResponse deleted = await connection.Task.DeleteAsync("", Unlimited, cancellationToken).ConfigureAwait(false);
        // The request to end is with the shim when this returns: it is followed whatever becomes of the daemon.
        _ended = endings.Add(connection.Bundle.Namespace, connection.Bundle.Id, EndAsync);
        return new ProcessExit(deleted.Pid, deleted.ExitStatus, ToMoment(deleted.ExitedAt));
    });

    public Task<ImmutableArray<PidRecord>> PidsAsync(CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        PidsResponse pids = await connection.Task.PidsAsync(Unlimited, cancellationToken).ConfigureAwait(false);
        return pids.Processes.Select(process => new PidRecord(process.Pid, ToValue(process.Info))).ToImmutableArray();
    });

    public Task<AnyValue> StatsAsync(CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        StatsResponse stats = await connection.Task.StatsAsync(Unlimited, cancellationToken).ConfigureAwait(false);
        return ToValue(stats.Stats) ?? throw new RefusedException(Error.NotFound("the shim has no statistics"));
    });

    public async ValueTask DisposeAsync()
    {
        await _ended.ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
        await pump.DisposeAsync().ConfigureAwait(false);
    }

    private async Task EndAsync()
    {
        try
        {
            // The shim of a sandbox ends with the sandbox.
            if (!connection.Bundle.IsSandboxed)
            {
                await connection.Task.ShutdownAsync(false, ShutdownTimeout).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is RefusedException or ShimClosedException)
        {
            // A shim that serves a group stays; one that hangs has no task any more and is not waited for; another has ended already.
        }

        await Task.Run(connection.Bundle.Delete).ConfigureAwait(false);
    }

    // Go's zero time means that there is none.
    internal static DateTimeOffset? ToMoment(Timestamp? at) => at is null or { Seconds: <= 0 } ? null : at.ToDateTimeOffset();

    private async Task<ShimSignal> CarryOutAsync(ShimRequest request, CancellationToken cancellationToken)
    {
        switch (request)
        {
            case ShimRequests.Start start:
                StartResponse started = await connection.Task.StartAsync(start.ExecId, Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.Started(start.ExecId, started.Pid);
            case ShimRequests.Exec exec:
                await connection.Task.ExecAsync(ToRequest(exec), Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.ExecAdded(exec.ExecId, exec.Stdio, ArgumentsOf(exec.Spec));
            case ShimRequests.Kill kill:
                await connection.Task.KillAsync(kill.ExecId, kill.Signal, kill.All, Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.Acknowledged();
            case ShimRequests.Pause:
                await connection.Task.PauseAsync(Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.Paused();
            case ShimRequests.Resume:
                await connection.Task.ResumeAsync(Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.Resumed();
            case ShimRequests.Update update:
                UpdateTaskRequest limits = new() { Id = connection.Bundle.Id, Resources = ToAny(update.Resources), Annotations = { update.Annotations } };
                await connection.Task.UpdateAsync(limits, Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.Updated(Encoding.UTF8.GetString(update.Resources.Value.Span));
            case ShimRequests.ResizePty resize:
                await connection.Task.ResizePtyAsync(resize.ExecId, resize.Width, resize.Height, Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.Acknowledged();
            case ShimRequests.CloseIO close:
                await connection.Task.CloseIOAsync(close.ExecId, Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.Acknowledged();
            case ShimRequests.Checkpoint checkpoint:
                CheckpointTaskRequest image = new() { Id = connection.Bundle.Id, Path = checkpoint.Path, Options = ToAny(checkpoint.Options) };
                await connection.Task.CheckpointAsync(image, Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.Checkpointed(checkpoint.Path);
            case ShimRequests.DeleteProcess delete:
                DeleteResponse deleted = await connection.Task.DeleteAsync(delete.ExecId, Unlimited, cancellationToken).ConfigureAwait(false);
                return new ShimSignals.ExecDeleted(delete.ExecId, new ProcessExit(deleted.Pid, deleted.ExitStatus, ToMoment(deleted.ExitedAt)));
            default:
                throw new ArgumentOutOfRangeException(nameof(request), request.Name, "not a call of a connected shim");
        }
    }

    private ExecProcessRequest ToRequest(ShimRequests.Exec exec) => new()
    {
        Id = connection.Bundle.Id,
        ExecId = exec.ExecId,
        Terminal = exec.Stdio.Terminal,
        Stdin = exec.Stdio.Stdin,
        Stdout = exec.Stdio.Stdout,
        Stderr = exec.Stdio.Stderr,
        Spec = ToAny(exec.Spec),
    };

    // For the record only; a spec that is not what it should be is refused by the shim.
    private static ImmutableArray<string> ArgumentsOf(AnyValue spec)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(spec.Value);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("args", out JsonElement arguments) && arguments.ValueKind == JsonValueKind.Array
                ? [.. arguments.EnumerateArray().Where(argument => argument.ValueKind == JsonValueKind.String).Select(argument => argument.GetString()!)]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static async Task<T> GuardAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (ShimClosedException closed)
        {
            throw new ShimGoneException(closed.Message, closed);
        }
    }

    private static AnyValue? ToValue(Any? any) => any is null ? null : new AnyValue(any.TypeUrl, any.Value.Memory);

    private static Any? ToAny(AnyValue? value) =>
        value is null ? null : new Any { TypeUrl = value.TypeUrl, Value = ByteString.CopyFrom(value.Value.Span) };
}
