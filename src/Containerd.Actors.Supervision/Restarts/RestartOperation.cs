// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Restarts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Supervision.Restarts;

/// <summary>One restart, or one stop, of one container: count, end the task there is, make and start another, end.</summary>
/// <remarks>
/// Every step is a request like a client's, made by the policy, and is decided by whoever owns its object. A step that fails ends the
/// operation; what was done stays, and the next look goes on from there.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where the token source is disposed.")]
internal sealed class RestartOperation : UntypedActor
{
    private const uint SignalKill = 9;

    private readonly IActorRef _tree;
    private readonly string _namespace;
    private readonly ContainerRecord _container;
    private readonly RestartDecision _decision;
    private readonly Caller _by;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stopping;

    public RestartOperation(
        IActorRef tree, string ns, ContainerRecord container, ProcessRecord? task, RestartDecision decision, RestartSettings settings)
    {
        (_tree, _namespace, _container, _decision) = (tree, ns, container, decision);
        _by = Caller.Policy(decision is RestartDecision.Start start ? $"restart {start.Policy}" : "restart stopped");
        _stopping = new CancellationTokenSource(settings.StepTimeout);
        RunAsync(task).PipeTo(Self, failure: e => new Ended(e.Message));
    }

    public static Props Props(
        IActorRef tree, string ns, ContainerRecord container, ProcessRecord? task, RestartDecision decision, RestartSettings settings) =>
        Akka.Actor.Props.Create(() => new RestartOperation(tree, ns, container, task, decision, settings));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Ended { Failure: { } failure }:
                _log.Warning("container {0} in {1}: {2}: {3}", _container.Id, _namespace, _by.Principal.Name, failure);
                Context.Stop(Self);
                break;
            case Ended:
                Context.Stop(Self);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task<Ended> RunAsync(ProcessRecord? task)
    {
        try
        {
            // The count goes first: a task that ends at once is counted even if the daemon is killed in between.
            if (_decision is RestartDecision.Start start)
            {
                await CountAsync(start.Count).ConfigureAwait(false);
            }

            if (task is not null)
            {
                await EndAsync(task).ConfigureAwait(false);
            }

            if (_decision is RestartDecision.Start { LogUri: var logUri })
            {
                await StartAsync(logUri).ConfigureAwait(false);
            }

            return new Ended(null);
        }
        catch (RefusedException refused)
        {
            return new Ended(refused.Error.Text);
        }
        catch (OperationCanceledException)
        {
            return new Ended($"not done in time ({RestartSettings.Root}.step-timeout)");
        }
    }

    private Task<ContainerRecord> CountAsync(int count)
    {
        ContainerRecord counted = _container with
        {
            Labels = _container.Labels.SetItem(RestartLabels.Count, count.ToString(CultureInfo.InvariantCulture)),
        };
        return AskAsync(new ContainerCommands.Update(_namespace, counted, [$"labels.{RestartLabels.Count}"], _by));
    }

    private async Task EndAsync(ProcessRecord task)
    {
        try
        {
            if (task.Status != ProcessStatus.Stopped)
            {
                Task<ProcessExit> ended = AskAsync(new TaskQueries.Wait(_namespace, _container.Id, "", _by));
                await TryAsync(AskAsync(new TaskCommands.Kill(_namespace, _container.Id, "", SignalKill, true, _by))).ConfigureAwait(false);
                await ended.ConfigureAwait(false);
            }

            await AskAsync(new TaskCommands.Delete(_namespace, _container.Id, _by)).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            // Somebody else ended it meanwhile.
        }
    }

    private async Task StartAsync(string logUri)
    {
        ImmutableArray<Mount> mounts = _container.SnapshotKey.Length == 0
            ? []
            : await AskAsync(new SnapshotterCommands.GetMounts(_namespace, _container.Snapshotter, _container.SnapshotKey)).ConfigureAwait(false);
        (bool hasTerminal, string mountLabel) = Read(_container.Spec);
        ProcessStdio stdio = new("", logUri, hasTerminal ? "" : logUri, logUri.Length > 0 && hasTerminal);
        await AskAsync(new TaskCommands.Create(
            _namespace, _container.Id, [.. mounts.Select(mount => ToRootfs(mount, mountLabel))], stdio, _by)).ConfigureAwait(false);
        await AskAsync(new TaskCommands.Start(_namespace, _container.Id, "", _by)).ConfigureAwait(false);
    }

    private static RootfsMount ToRootfs(Mount mount, string label) => new(
        mount.Type, mount.Source, mount.Target, label.Length > 0 && mount.Type != "bind" ? mount.Options.Add($"context=\"{label}\"") : mount.Options);

    // What of the spec decides how the task is made; a spec that is not what it should be is refused by the runtime.
    private static (bool HasTerminal, string MountLabel) Read(AnyValue? spec)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(spec?.Value ?? default);
            JsonElement root = document.RootElement;
            bool hasTerminal = root.TryGetProperty("process", out JsonElement process) && process.TryGetProperty("terminal", out JsonElement terminal)
                && terminal.ValueKind == JsonValueKind.True;
            string label = root.TryGetProperty("linux", out JsonElement linux) && linux.TryGetProperty("mountLabel", out JsonElement text)
                ? text.GetString() ?? ""
                : "";
            return (hasTerminal, label);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (false, "");
        }
    }

    private static async Task TryAsync(Task step)
    {
        try
        {
            await step.ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            // It ended by itself.
        }
    }

    private async Task<T> AskAsync<T>(IRequest<T> request) =>
        (await _tree.Ask<Reply<T>>(request, Timeout.InfiniteTimeSpan, _stopping.Token).ConfigureAwait(false)).Value;

    private sealed record Ended(string? Failure);
}
