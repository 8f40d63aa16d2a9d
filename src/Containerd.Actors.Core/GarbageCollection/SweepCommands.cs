// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.GarbageCollection;

/// <summary>What garbage collection asks of those who hold blobs and directories.</summary>
/// <remarks>
/// <para>
/// Order: begin, then collect every namespace, then sweep what none of them knows. A holder counts generations: begin increments
/// the count and answers it. Whatever is made known to a namespace (a blob added or adopted, a snapshot prepared) is <i>pending</i>
/// from before the holder tells the namespace until the namespace's answer, and is then stamped with the count of that moment. A
/// sweep leaves alone what is kept, what is pending, and what carries a stamp of its generation or a later one.
/// </para>
/// <para>
/// Why that is safe: if the namespace answered before begin, its record was decided before the namespace was collected, so it is
/// among what is kept unless it was garbage. If it answered after begin, the stamp is not older than the generation. If it has not
/// answered, the thing is pending. Stamps live in memory: after a restart nothing is pending, and begin comes after recovery.
/// </para>
/// </remarks>
public static class SweepCommands
{
    /// <summary>Starts a generation of content. For the content store.</summary>
    public sealed record BeginContent : IRequest<ContentGeneration>;

    /// <summary>The ingests that are there, without starting a generation. For the content store.</summary>
    public sealed record ListIngests : IRequest<ImmutableArray<OpenIngest>>;

    /// <summary>Starts a generation of snapshots, the same for all snapshotters. For the snapshotters' supervisor.</summary>
    public sealed record BeginSnapshots : IRequest<long>;

    /// <summary>Removes blobs that no namespace sees and gives up ingests. For the content store.</summary>
    /// <param name="Keep">Blobs that some namespace sees.</param>
    /// <param name="Ingests">Ingests to give up, unless a writer has them open now.</param>
    /// <param name="Generation">What begin answered.</param>
    /// <param name="Caller">The policy.</param>
    /// <param name="IsDry">True to count what would go and to leave it.</param>
    public sealed record SweepContent(
        IReadOnlySet<Digest> Keep, ImmutableArray<(string Namespace, string Reference)> Ingests, long Generation, Caller Caller, bool IsDry = false)
        : IRequest<Swept>;

    /// <summary>Removes directories that no namespace knows, in every snapshotter. For the snapshotters' supervisor.</summary>
    /// <param name="Keep">Directories that some namespace knows; a snapshotter that is not in it keeps nothing.</param>
    /// <param name="Generation">What begin answered.</param>
    /// <param name="Caller">The policy.</param>
    /// <param name="IsDry">True to count what would go and to leave it.</param>
    public sealed record SweepSnapshots(
        ImmutableDictionary<string, ImmutableHashSet<long>> Keep, long Generation, Caller Caller, bool IsDry = false) : IRequest<Swept>;

    /// <summary>Starts a generation of mounts. For whoever holds them.</summary>
    public sealed record BeginMounts : IRequest<long>;

    /// <summary>Unmounts what no namespace knows. For whoever holds mounts.</summary>
    /// <param name="Keep">Numbers that some namespace knows.</param>
    /// <param name="Generation">What begin answered.</param>
    /// <param name="Caller">The policy.</param>
    /// <param name="IsDry">True to count what would go and to leave it.</param>
    public sealed record SweepMounts(ImmutableHashSet<long> Keep, long Generation, Caller Caller, bool IsDry = false) : IRequest<Swept>;
}

/// <summary>A generation of content that was started.</summary>
/// <param name="Generation">Its number.</param>
/// <param name="Ingests">Ingests that are open.</param>
public sealed record ContentGeneration(long Generation, ImmutableArray<OpenIngest> Ingests);

/// <summary>What a sweep removed.</summary>
/// <param name="Count">How many blobs or directories.</param>
/// <param name="Bytes">Bytes that were freed, as far as known.</param>
public sealed record Swept(long Count, long Bytes);

/// <summary>What is asked of the garbage collector.</summary>
public static class GarbageCommands
{
    /// <summary>Collect now. Answered after a complete run that started after the request; requests that wait share one.</summary>
    /// <param name="Caller">Who asks.</param>
    /// <param name="IsDry">True to tell what a run would remove, and why, and to remove nothing.</param>
    public sealed record Run(Caller Caller, bool IsDry = false) : IRequest<GarbageRun>;

    /// <summary>What keeps or condemns whatever goes by a name in a namespace; see <see cref="NamespaceQueries.Explain"/>.</summary>
    public sealed record Explain(string InNamespace, string Name) : IRequest<ImmutableArray<GarbageExplanation>>;
}

/// <summary>A complete run.</summary>
/// <param name="Removed">Records removed, over all namespaces.</param>
/// <param name="Content">What was removed of the content store.</param>
/// <param name="Snapshots">What was removed of the snapshotters.</param>
/// <param name="Duration">How long it took.</param>
public sealed record GarbageRun(int Removed, Swept Content, Swept Snapshots, TimeSpan Duration)
{
    /// <summary>How long finding out what is garbage took, until the records of it were gone; the sweep, beside which all goes on, left out.</summary>
    public TimeSpan Marking { get; init; }

    /// <summary>What was unmounted.</summary>
    public Swept Mounts { get; init; } = new(0, 0);

    /// <summary>The records, with their namespaces.</summary>
    public ImmutableArray<(string Namespace, Condemned Thing)> Things { get; init; } = [];
}

/// <summary>A namespace changed; published inside the process so that the collector knows when a run is worth it.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="At">When that was decided, by the clock that stamps what is made.</param>
/// <param name="IsDeletion">True when something went away that may have kept others.</param>
public sealed record NamespaceChanged(string Namespace, DateTimeOffset At, bool IsDeletion);
