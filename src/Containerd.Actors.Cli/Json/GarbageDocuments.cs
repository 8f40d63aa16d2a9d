// SPDX-License-Identifier: Apache-2.0

using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Json;

/// <summary>What <c>cactl gc --json</c> prints.</summary>
internal sealed record CollectDocument(
    bool DryRun, IReadOnlyList<CondemnedDocument> Removed, long Blobs, long BlobBytes, long Directories, long Mounts, long Microseconds)
{
    public static CollectDocument From(CollectResponse response, bool dryRun) => new(
        dryRun,
        [.. response.Removed.Select(CondemnedDocument.From)],
        response.Blobs,
        response.BlobBytes,
        response.Directories,
        response.Mounts,
        response.Microseconds);
}

/// <summary>A record that was removed, or would be.</summary>
internal sealed record CondemnedDocument(string Namespace, string Kind, string Id, string? Snapshotter, long Bytes, string? Reason)
{
    public static CondemnedDocument From(CondemnedThing removed) => new(
        removed.Namespace,
        removed.Thing.Kind,
        removed.Thing.Id,
        removed.Thing.Snapshotter.Length > 0 ? removed.Thing.Snapshotter : null,
        removed.Bytes,
        removed.Reason.Length > 0 ? removed.Reason : null);
}

/// <summary>Why one thing is kept or not; <c>cactl why --json</c> prints a list.</summary>
internal sealed record ExplanationDocument(
    string Kind, string Id, string? Snapshotter, bool Kept, string Verdict, IReadOnlyList<GarbageStepDocument> Path, IReadOnlyList<GarbageStepDocument> InVain)
{
    public static ExplanationDocument From(Explanation explanation) => new(
        explanation.Thing.Kind,
        explanation.Thing.Id,
        explanation.Thing.Snapshotter.Length > 0 ? explanation.Thing.Snapshotter : null,
        explanation.Kept,
        explanation.Verdict,
        [.. explanation.Path.Select(GarbageStepDocument.From)],
        [.. explanation.InVain.Select(GarbageStepDocument.From)]);
}

/// <summary>One step from a root to what it keeps.</summary>
internal sealed record GarbageStepDocument(string Kind, string Id, string? Snapshotter, string Reason)
{
    public static GarbageStepDocument From(GarbageStep step) => new(
        step.Thing.Kind, step.Thing.Id, step.Thing.Snapshotter.Length > 0 ? step.Thing.Snapshotter : null, step.Reason);
}
