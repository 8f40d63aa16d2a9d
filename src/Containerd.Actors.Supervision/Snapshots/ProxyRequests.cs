// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Snapshots;

/// <summary>Requests to a proxied snapshotter, step by step: the records are asked, the plugin works, the records are changed.</summary>
/// <remarks>
/// <code>
/// Prepare  records agree --> plugin prepares --> record; if the record is refused, the plugin removes
///                                  +-- has the target already --> target becomes a record, "already exists"
/// Commit   records agree --> plugin measures, commits --> record
/// </code>
/// Called by one actor, which does not wait for it; safe for many requests at once.
/// </remarks>
internal sealed class ProxyRequests(IProxiedSnapshotter plugin, IActorRef namespaces, TimeSpan answerTimeout, TimeProvider time)
{
    private const string VisibleLabels = "containerd.io/snapshot";

    /// <summary>Carries out one request; the answer is its reply.</summary>
    public async Task<object> RunAsync(IForSnapshotter operation, long number, CancellationToken cancellationToken)
    {
        try
        {
            return operation switch
            {
                SnapshotterCommands.Prepare { IsDetached: true } =>
                    operation.Refusal(Error.NotImplemented($"snapshotter {plugin.Name} makes no snapshots whose parents come later")),
                SnapshotterCommands.Prepare prepare => Reply.Done(await PrepareAsync(prepare, number, cancellationToken).ConfigureAwait(false)),
                SnapshotterCommands.Commit commit => await CommitAsync(commit, cancellationToken).ConfigureAwait(false),
                SnapshotterCommands.GetMounts mounts => Reply.Done(await MountsAsync(mounts, cancellationToken).ConfigureAwait(false)),
                SnapshotterCommands.GetUsage usage => Reply.Done(await UsageAsync(usage, cancellationToken).ConfigureAwait(false)),
                _ => operation.Refusal(Error.NotImplemented($"snapshotter {plugin.Name}: {operation.GetType().Name}")),
            };
        }
        catch (RefusedException refused)
        {
            return operation.Refusal(refused.Error);
        }
        catch (OperationCanceledException)
        {
            return operation.Refusal(Error.Unavailable($"snapshotter {plugin.Name} is being started again"));
        }
    }

    /// <summary>Sweeps, then has the plugin clean up.</summary>
    public async Task<object> CleanupAsync(SnapshotterCommands.Cleanup cleanup, ProxySweepBound bound, CancellationToken cancellationToken)
    {
        try
        {
            await RemoveAsync(bound, static _ => true, isDry: false, cancellationToken).ConfigureAwait(false);
            await plugin.CleanupAsync(cleanup.Namespace, cancellationToken).ConfigureAwait(false);
            return Reply.Done();
        }
        catch (RefusedException refused)
        {
            return Reply.Refused<Nothing>(refused.Error);
        }
        catch (OperationCanceledException)
        {
            return Reply.Refused<Nothing>(Error.Unavailable($"snapshotter {plugin.Name} is being started again"));
        }
    }

    /// <summary>Has the plugin remove what no namespace knows; a dry run counts what would go with the records that would.</summary>
    public async Task<object> SweepAsync(SnapshotterActor.Sweep sweep, ProxySweepBound bound, CancellationToken cancellationToken)
    {
        try
        {
            long swept = sweep.IsDry
                ? await RemoveAsync(bound, record => sweep.Keep.Contains(record.Backend), isDry: true, cancellationToken).ConfigureAwait(false)
                : await RemoveAsync(bound, static _ => true, isDry: false, cancellationToken).ConfigureAwait(false);
            return Reply.Done(new Swept(swept, 0));
        }
        catch (RefusedException refused)
        {
            return Reply.Refused<Swept>(refused.Error);
        }
        catch (OperationCanceledException)
        {
            return Reply.Refused<Swept>(Error.Unavailable($"snapshotter {plugin.Name} is being started again"));
        }
    }

    private async Task<ImmutableArray<Mount>> PrepareAsync(SnapshotterCommands.Prepare prepare, long number, CancellationToken cancellationToken)
    {
        NamespaceState state = await StateAsync(prepare.Namespace, cancellationToken).ConfigureAwait(false);
        string key = ProxiedKeys.Of(prepare.Namespace, number, prepare.Key);
        SnapshotCommands.Prepare record = new(
            prepare.Namespace, plugin.Name, prepare.Kind, prepare.Key, prepare.Parent, prepare.Labels, number, prepare.By) { BackendKey = key };
        string target = prepare.Labels.GetValueOrDefault(SnapshotDecisions.TargetLabel) ?? "";
        await AgreeAsync(state.Decide(record, time.GetUtcNow()).Reply, record, state, target, prepare.Key, cancellationToken).ConfigureAwait(false);

        string parent = Find(state, prepare.Parent)?.BackendKey ?? "";
        ImmutableArray<Mount> mounts;
        try
        {
            mounts = await plugin.PrepareAsync(
                prepare.Namespace, prepare.Kind, key, parent, Visible(prepare.Labels), cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException exists) when (exists.Error.Kind == ErrorKind.AlreadyExists && target.Length > 0)
        {
            ProxiedSnapshot found = await TargetAsync(prepare.Namespace, target, parent, cancellationToken).ConfigureAwait(false)
                ?? throw new RefusedException(exists.Error, exists);
            await AskAsync(
                new SnapshotCommands.Adopt(
                    prepare.Namespace, plugin.Name, target, prepare.Parent, prepare.Labels, number, found.Key, prepare.By), cancellationToken)
                .ConfigureAwait(false);
            throw;
        }

        try
        {
            await AskAsync(record, cancellationToken).ConfigureAwait(false);
            return mounts;
        }
        catch (RefusedException)
        {
            await DropAsync(prepare.Namespace, key, cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<object> CommitAsync(SnapshotterCommands.Commit commit, CancellationToken cancellationToken)
    {
        NamespaceState state = await StateAsync(commit.Namespace, cancellationToken).ConfigureAwait(false);
        SnapshotRecord active = Find(state, commit.Key) ?? throw Missing(commit.Key);
        string name = ProxiedKeys.Of(commit.Namespace, active.Backend, commit.Name);
        SnapshotCommands.Commit record = new(
            commit.Namespace, plugin.Name, commit.Name, commit.Key, commit.Labels, commit.Parent, new SnapshotUsage(0, 0), commit.By) { BackendKey = name };
        await AgreeAsync(state.Decide(record, time.GetUtcNow()).Reply, record, state, "", commit.Name, cancellationToken).ConfigureAwait(false);
        bool rebase = commit.Parent.Length > 0 && active.Parent.Length == 0;
        if (rebase && !plugin.Capabilities.Contains("rebase"))
        {
            throw new RefusedException(Error.NotImplemented(
                $"snapshotter {plugin.Name} cannot give snapshot \"{commit.Key}\" a parent when it is committed"));
        }

        string parent = rebase ? Find(state, commit.Parent)!.BackendKey : "";
        SnapshotUsage usage = await FreezeAsync(commit.Namespace, name, active.BackendKey, parent, Visible(commit.Labels), cancellationToken).ConfigureAwait(false);
        await AskAsync(record with { Usage = usage }, cancellationToken).ConfigureAwait(false);
        return Reply.Done();
    }

    // A commit whose record was not stored before a crash is asked for again: the plugin has the name by then, and not the key.
    private async Task<SnapshotUsage> FreezeAsync(
        string ns, string name, string key, string parent, ImmutableSortedDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        try
        {
            SnapshotUsage usage = await plugin.UsageAsync(ns, key, cancellationToken).ConfigureAwait(false);
            await plugin.CommitAsync(ns, name, key, parent, labels, cancellationToken).ConfigureAwait(false);
            return usage;
        }
        catch (RefusedException missing) when (missing.Error.Kind == ErrorKind.NotFound)
        {
            ImmutableArray<ProxiedSnapshot> held = await plugin.ListAsync(ns, cancellationToken).ConfigureAwait(false);
            if (held.Any(snapshot => snapshot.Key == name && snapshot.Kind == SnapshotKind.Committed))
            {
                return await plugin.UsageAsync(ns, name, cancellationToken).ConfigureAwait(false);
            }

            throw;
        }
    }

    private async Task<ImmutableArray<Mount>> MountsAsync(SnapshotterCommands.GetMounts mounts, CancellationToken cancellationToken)
    {
        NamespaceState state = await StateAsync(mounts.Namespace, cancellationToken).ConfigureAwait(false);
        SnapshotRecord record = state.Mountable(plugin.Name, mounts.Key).Value;
        return await plugin.MountsAsync(mounts.Namespace, record.BackendKey, cancellationToken).ConfigureAwait(false);
    }

    private async Task<SnapshotUsage> UsageAsync(SnapshotterCommands.GetUsage usage, CancellationToken cancellationToken)
    {
        NamespaceState state = await StateAsync(usage.Namespace, cancellationToken).ConfigureAwait(false);
        SnapshotRecord record = Find(state, usage.Key) ?? throw Missing(usage.Key);
        return record.Usage ?? await plugin.UsageAsync(usage.Namespace, record.BackendKey, cancellationToken).ConfigureAwait(false);
    }

    private async Task<long> RemoveAsync(
        ProxySweepBound bound, Func<SnapshotRecord, bool> stays, bool isDry, CancellationToken cancellationToken)
    {
        ImmutableArray<NamespaceState> states = await AskAsync(new NamespaceQueries.List(), cancellationToken).ConfigureAwait(false);
        SnapshotRecord[] records = [.. states.SelectMany(state => state.Snapshots.Values).Where(record => record.Snapshotter == plugin.Name && stays(record))];
        HashSet<string> known = [.. records.Select(record => record.BackendKey)];
        // What is active here may be committed there: its record is about to be stored, or was not when the daemon crashed.
        HashSet<long> active = [.. records.Where(record => record.Kind == SnapshotKind.Active).Select(record => record.Backend)];
        // A plugin that knows no namespaces tells the same in each.
        HashSet<string> counted = [];
        long removed = 0;
        foreach (string ns in states.Select(state => state.Name))
        {
            ImmutableArray<ProxiedSnapshot> held = await plugin.ListAsync(ns, cancellationToken).ConfigureAwait(false);
            foreach (string key in ProxiedKeys.Condemned(held, known, number => bound.MayGo(number) && !(number is { } of && active.Contains(of))))
            {
                removed += counted.Add(key) ? 1 : 0;
                if (!isDry)
                {
                    await plugin.RemoveAsync(ns, key, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        return removed;
    }

    // What the records would refuse never reaches the plugin. The caller's lease keeps what exists although the request is refused.
    private async Task AgreeAsync(
        Reply<SnapshotRecord> reply, INamespaceCommand command, NamespaceState state, string target, string key, CancellationToken cancellationToken)
    {
        if (reply is not Refused<SnapshotRecord> { Error: var error })
        {
            return;
        }

        Caller caller = command.Caller;
        if (error.Kind == ErrorKind.AlreadyExists && caller.Lease.Length > 0)
        {
            string existing = target.Length > 0 && Find(state, target) is not null ? target : key;
            await AskAsync(
                new LeaseCommands.AddResource(command.Namespace, caller.Lease, LeaseResources.Snapshot(plugin.Name, existing), caller), cancellationToken)
                .ConfigureAwait(false);
        }

        throw new RefusedException(error);
    }

    private async Task<ProxiedSnapshot?> TargetAsync(string ns, string target, string parent, CancellationToken cancellationToken)
    {
        ImmutableArray<ProxiedSnapshot> held = await plugin.ListAsync(ns, cancellationToken).ConfigureAwait(false);
        return held.FirstOrDefault(snapshot => snapshot.Kind == SnapshotKind.Committed
            && snapshot.Parent == parent
            && snapshot.Labels.GetValueOrDefault(SnapshotDecisions.TargetLabel) == target);
    }

    private async Task DropAsync(string ns, string key, CancellationToken cancellationToken)
    {
        try
        {
            await plugin.RemoveAsync(ns, key, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException)
        {
            // The next sweep finds it; the caller is to learn why the record was refused.
        }
    }

    private Task<NamespaceState> StateAsync(string ns, CancellationToken cancellationToken) =>
        AskAsync(new NamespaceQueries.GetState(ns), cancellationToken);

    private async Task<T> AskAsync<T>(IRequest<T> request, CancellationToken cancellationToken)
    {
        try
        {
            return (await namespaces.Ask<Reply<T>>(request, answerTimeout, cancellationToken).ConfigureAwait(false)).Value;
        }
        catch (AskTimeoutException)
        {
            throw new RefusedException(new Error(
                ErrorKind.DeadlineExceeded, $"snapshotter {plugin.Name}: {request.GetType().Name}: no answer within {answerTimeout.TotalSeconds:0} s"));
        }
    }

    private SnapshotRecord? Find(NamespaceState state, string key) => state.Snapshots.GetValueOrDefault(new SnapshotName(plugin.Name, key));

    private static RefusedException Missing(string key) => new(Error.NotFound($"snapshot {key} does not exist"));

    private static ImmutableSortedDictionary<string, string> Visible(ImmutableSortedDictionary<string, string> labels) =>
        labels.RemoveRange(labels.Keys.Where(name => !name.StartsWith(VisibleLabels, StringComparison.Ordinal)));
}
