// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.GarbageCollection;

/// <summary>What one run does: begin, collect every namespace, sweep. See <see cref="SweepCommands"/> for why in this order.</summary>
/// <param name="namespaces">Supervisor of namespaces.</param>
/// <param name="content">The content store.</param>
/// <param name="snapshots">Supervisor of snapshotters.</param>
/// <param name="mounts">Who holds mounts.</param>
/// <param name="stepTimeout">Longest wait for one answer.</param>
/// <param name="time">The clock.</param>
public sealed class GarbageRunner(
    IActorRef namespaces, IActorRef content, IActorRef snapshots, IActorRef mounts, TimeSpan stepTimeout, TimeProvider time)
{
    private static readonly Caller Policy = Caller.Policy("garbage-collection");

    /// <summary>One run. Nothing is swept unless every namespace answered: what one of them keeps would not be known.</summary>
    /// <param name="isDry">True to go the same way and remove nothing.</param>
    /// <param name="spareFrom">Content and snapshots made at this moment or later stay although nothing refers to them; null spares none.</param>
    /// <param name="cancellationToken">Ends the run between two steps.</param>
    public async Task<Reply<GarbageRun>> RunAsync(bool isDry, DateTimeOffset? spareFrom, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        try
        {
            Task<ContentGeneration> beginContent = AskAsync(content, new SweepCommands.BeginContent(), cancellationToken);
            long snapshotGeneration = await AskAsync(snapshots, new SweepCommands.BeginSnapshots(), cancellationToken).ConfigureAwait(false);
            long mountGeneration = await AskAsync(mounts, new SweepCommands.BeginMounts(), cancellationToken).ConfigureAwait(false);
            ContentGeneration generation = await beginContent.ConfigureAwait(false);

            ImmutableArray<NamespaceState> all = await AskAsync(namespaces, new NamespaceQueries.List(), cancellationToken).ConfigureAwait(false);
            var keep = new HashSet<Digest>();
            Dictionary<string, ImmutableHashSet<long>> backends = new(StringComparer.Ordinal);
            ImmutableHashSet<long> activations = [];
            var ingests = ImmutableArray.CreateBuilder<(string Namespace, string Reference)>();
            var things = ImmutableArray.CreateBuilder<(string Namespace, Condemned Thing)>();
            Error? unknown = null;
            foreach (string ns in all.Select(state => state.Name))
            {
                ImmutableArray<OpenIngest> open = [.. generation.Ingests.Where(ingest => ingest.Namespace == ns)];
                IRequest<Collected> collect = isDry ? new NamespaceQueries.Preview(ns, open) : new NamespaceCommands.Collect(ns, open, Policy, spareFrom);
                if (await namespaces.Ask<Reply<Collected>>(collect, stepTimeout, cancellationToken).ConfigureAwait(false) is not Done<Collected> done)
                {
                    // Others are collected all the same; only what none of them needs cannot be told any more.
                    unknown ??= Error.Unavailable($"namespace \"{ns}\" was not collected");
                    continue;
                }

                Collected collected = done.Result;
                things.AddRange(collected.Removed.Select(thing => (ns, thing)));
                keep.UnionWith(collected.Content);
                activations = activations.Union(collected.Activations);
                ingests.AddRange(collected.Ingests.Select(reference => (ns, reference)));
                foreach ((string snapshotter, ImmutableHashSet<long> kept) in collected.Backends)
                {
                    backends[snapshotter] = backends.TryGetValue(snapshotter, out ImmutableHashSet<long>? others) ? others.Union(kept) : kept;
                }
            }

            // An upload does not make its namespace: those of namespaces that were never written to have nobody else to ask.
            foreach (string ns in generation.Ingests.Select(ingest => ingest.Namespace).Except(all.Select(state => state.Name)))
            {
                var collect = new NamespaceCommands.Collect(ns, [.. generation.Ingests.Where(ingest => ingest.Namespace == ns)], Policy);
                Collected alone = new NamespaceState(ns).Decide(collect, [], time.GetUtcNow()).Reply.Value;
                keep.UnionWith(alone.Content);
                ingests.AddRange(alone.Ingests.Select(reference => (ns, reference)));
            }

            if (unknown is not null)
            {
                return Reply.Refused<GarbageRun>(unknown.While("garbage collection"));
            }

            TimeSpan marking = time.GetElapsedTime(started);
            Task<Swept> sweepContent = AskAsync(
                content, new SweepCommands.SweepContent(keep, ingests.ToImmutable(), generation.Generation, Policy, isDry), cancellationToken);
            // Before the directories of snapshots, which may be what is mounted.
            Swept unmounted = await AskAsync(
                mounts, new SweepCommands.SweepMounts(activations, mountGeneration, Policy, isDry), cancellationToken).ConfigureAwait(false);
            Swept directories = await AskAsync(
                snapshots, new SweepCommands.SweepSnapshots(backends.ToImmutableDictionary(), snapshotGeneration, Policy, isDry), cancellationToken)
                .ConfigureAwait(false);
            Swept blobs = await sweepContent.ConfigureAwait(false);
            return Reply.Done(new GarbageRun(things.Count, blobs, directories, time.GetElapsedTime(started))
            {
                Marking = marking,
                Mounts = unmounted,
                Things = things.ToImmutable(),
            });
        }
        catch (RefusedException refused)
        {
            return Reply.Refused<GarbageRun>(refused.Error.While("garbage collection"));
        }
        catch (AskTimeoutException)
        {
            return Reply.Refused<GarbageRun>(TooLate());
        }
        catch (OperationCanceledException)
        {
            return Reply.Refused<GarbageRun>(Error.Unavailable("garbage collection stopped"));
        }
    }

    /// <summary>Why a thing is kept or not.</summary>
    public async Task<Reply<ImmutableArray<GarbageExplanation>>> ExplainAsync(GarbageCommands.Explain explain, CancellationToken cancellationToken)
    {
        try
        {
            ImmutableArray<OpenIngest> ingests = await AskAsync(content, new SweepCommands.ListIngests(), cancellationToken).ConfigureAwait(false);
            return Reply.Done(await AskAsync(
                namespaces, new NamespaceQueries.Explain(explain.InNamespace, explain.Name, ingests), cancellationToken).ConfigureAwait(false));
        }
        catch (RefusedException refused)
        {
            return Reply.Refused<ImmutableArray<GarbageExplanation>>(refused.Error);
        }
        catch (AskTimeoutException)
        {
            return Reply.Refused<ImmutableArray<GarbageExplanation>>(TooLate());
        }
        catch (OperationCanceledException)
        {
            return Reply.Refused<ImmutableArray<GarbageExplanation>>(Error.Unavailable("garbage collection stopped"));
        }
    }

    private Error TooLate() => new(
        ErrorKind.DeadlineExceeded, $"garbage collection: a step took longer than {stepTimeout} ({GarbageCollectionSettings.Path}.step-timeout)");

    private async Task<T> AskAsync<T>(IActorRef who, IRequest<T> request, CancellationToken cancellationToken) =>
        (await who.Ask<Reply<T>>(request, stepTimeout, cancellationToken).ConfigureAwait(false)).Value;
}
