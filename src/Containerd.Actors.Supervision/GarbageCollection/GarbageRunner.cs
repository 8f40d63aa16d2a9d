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
/// <param name="stepTimeout">Longest wait for one answer.</param>
/// <param name="time">The clock.</param>
public sealed class GarbageRunner(
    IActorRef namespaces, IActorRef content, IActorRef snapshots, TimeSpan stepTimeout, TimeProvider time)
{
    private static readonly Caller Policy = Caller.Policy("garbage-collection");

    /// <summary>One run. Nothing is swept unless every namespace answered: what one of them keeps would not be known.</summary>
    public async Task<Reply<GarbageRun>> RunAsync(CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        try
        {
            Task<ContentGeneration> beginContent = AskAsync(content, new SweepCommands.BeginContent(), cancellationToken);
            long snapshotGeneration = await AskAsync(snapshots, new SweepCommands.BeginSnapshots(), cancellationToken).ConfigureAwait(false);
            ContentGeneration generation = await beginContent.ConfigureAwait(false);

            ImmutableArray<NamespaceState> all = await AskAsync(namespaces, new NamespaceQueries.List(), cancellationToken).ConfigureAwait(false);
            var keep = new HashSet<Digest>();
            Dictionary<string, ImmutableHashSet<long>> backends = new(StringComparer.Ordinal);
            var ingests = ImmutableArray.CreateBuilder<(string Namespace, string Reference)>();
            int removed = 0;
            Error? unknown = null;
            foreach (string ns in all.Select(state => state.Name))
            {
                var collect = new NamespaceCommands.Collect(ns, [.. generation.Ingests.Where(ingest => ingest.Namespace == ns)], Policy);
                if (await namespaces.Ask<Reply<Collected>>(collect, stepTimeout, cancellationToken).ConfigureAwait(false) is not Done<Collected> done)
                {
                    // Others are collected all the same; only what none of them needs cannot be told any more.
                    unknown ??= Error.Unavailable($"namespace \"{ns}\" was not collected");
                    continue;
                }

                Collected collected = done.Result;
                removed += collected.Removed.Length;
                keep.UnionWith(collected.Content);
                ingests.AddRange(collected.Ingests.Select(reference => (ns, reference)));
                foreach ((string snapshotter, ImmutableHashSet<long> kept) in collected.Backends)
                {
                    backends[snapshotter] = backends.TryGetValue(snapshotter, out ImmutableHashSet<long>? others) ? others.Union(kept) : kept;
                }
            }

            if (unknown is not null)
            {
                return Reply.Refused<GarbageRun>(unknown.While("garbage collection"));
            }

            Task<Swept> sweepContent = AskAsync(
                content, new SweepCommands.SweepContent(keep, ingests.ToImmutable(), generation.Generation, Policy), cancellationToken);
            Swept directories = await AskAsync(
                snapshots, new SweepCommands.SweepSnapshots(backends.ToImmutableDictionary(), snapshotGeneration, Policy), cancellationToken)
                .ConfigureAwait(false);
            Swept blobs = await sweepContent.ConfigureAwait(false);
            return Reply.Done(new GarbageRun(removed, blobs, directories, time.GetElapsedTime(started)));
        }
        catch (RefusedException refused)
        {
            return Reply.Refused<GarbageRun>(refused.Error.While("garbage collection"));
        }
        catch (AskTimeoutException)
        {
            return Reply.Refused<GarbageRun>(new Error(
                ErrorKind.DeadlineExceeded, $"garbage collection: a step took longer than {stepTimeout} ({GarbageCollectionSettings.Path}.step-timeout)"));
        }
        catch (OperationCanceledException)
        {
            return Reply.Refused<GarbageRun>(Error.Unavailable("garbage collection stopped"));
        }
    }

    private async Task<T> AskAsync<T>(IActorRef who, IRequest<T> request, CancellationToken cancellationToken) =>
        (await who.Ask<Reply<T>>(request, stepTimeout, cancellationToken).ConfigureAwait(false)).Value;
}
