// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Nodes;
using Containerd.Actors.Client.Values;
using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Json;

/// <summary>One state of a pull; <c>cactl pull --json</c> prints a line for each.</summary>
internal sealed record PullDocument(
    string Operation, string Reference, string Stage, string? Digest, string? Error, IReadOnlyList<LayerDocument> Layers)
{
    public static PullDocument From(PullProgress progress) => new(
        progress.Operation,
        progress.Reference,
        progress.Stage,
        progress.Digest.Length > 0 ? progress.Digest : null,
        progress.Error.Length > 0 ? progress.Error : null,
        [.. progress.Layers.Select(layer => new LayerDocument(layer.Digest, layer.MediaType, layer.Stage, layer.Offset, layer.Total))]);
}

/// <summary>One blob of a pull.</summary>
internal sealed record LayerDocument(string Digest, string MediaType, string Stage, long Offset, long Total);

/// <summary>A published event; <c>cactl events --json</c> prints a line for each.</summary>
internal sealed record EventDocument(DateTimeOffset? Timestamp, string Namespace, string Topic, string Type, JsonObject? Event);

/// <summary>An actor of the live tree.</summary>
internal sealed record TreeDocument(string Path, string Type, string? Note)
{
    public static TreeDocument From(TreeNode node) => new(node.Path, node.Type, node.Note.Length > 0 ? node.Note : null);
}

/// <summary>A record of the journal; <c>cactl audit log --json</c> prints a line for each.</summary>
internal sealed record RecordDocument(
    ulong Cursor,
    DateTimeOffset? At,
    string Namespace,
    string Entity,
    string Event,
    PrincipalDocument? Principal,
    string? Operation,
    string? Trace,
    JsonElement? Detail,
    string Hash)
{
    public static RecordDocument From(Record record) => new(
        record.Cursor,
        Instant.From(record.At),
        record.Namespace,
        record.Entity,
        record.Event,
        record.Principal is null ? null : PrincipalDocument.From(record.Principal),
        record.Operation.Length > 0 ? record.Operation : null,
        record.Trace.Length > 0 ? record.Trace : null,
        ReadDetail(record.Detail),
        Convert.ToHexStringLower(record.Hash.Span));

    private static JsonElement? ReadDetail(string detail)
    {
        if (detail.Length == 0)
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(detail);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(detail, CliJson.Lines.String);
        }
    }
}

/// <summary>On whose behalf something happened.</summary>
internal sealed record PrincipalDocument(string Kind, uint? Uid, uint? Gid, int? Pid, string? Executable, string? Name)
{
    public static PrincipalDocument From(Principal principal)
    {
        bool isUser = principal.Kind == "user";
        return new PrincipalDocument(
            principal.Kind,
            isUser ? principal.Uid : null,
            isUser ? principal.Gid : null,
            isUser ? principal.Pid : null,
            principal.Executable.Length > 0 ? principal.Executable : null,
            principal.Name.Length > 0 ? principal.Name : null);
    }
}

/// <summary>What <c>cactl audit verify --json</c> prints.</summary>
internal sealed record VerifyDocument(ulong Records, ulong LastCursor, bool Intact, IReadOnlyList<DamageDocument> Damages)
{
    public static VerifyDocument From(VerifyResponse response) => new(
        response.Records,
        response.LastCursor,
        response.Damages.Count == 0,
        [.. response.Damages.Select(damage => new DamageDocument(damage.Cursor, damage.Reason))]);
}

/// <summary>A place where the chain does not hold.</summary>
internal sealed record DamageDocument(ulong Cursor, string Reason);

/// <summary>What <c>cactl audit replay --json</c> prints.</summary>
internal sealed record ReplayDocument(
    ulong Cursor,
    IReadOnlyList<ReplayedContainerDocument> Containers,
    IReadOnlyList<ReplayedImageDocument> Images,
    IReadOnlyList<ReplayedSnapshotDocument> Snapshots)
{
    public static ReplayDocument From(ReplayResponse response) => new(
        response.Cursor,
        [
            .. response.Containers.Select(container => new ReplayedContainerDocument(
                container.Namespace,
                container.Id,
                container.Image,
                container.Runtime,
                container.TaskStatus.Length > 0 ? container.TaskStatus : "none",
                container.Pid,
                container.ExitStatus,
                Instant.From(container.ExitedAt))),
        ],
        [.. response.Images.Select(image => new ReplayedImageDocument(image.Namespace, image.Name, image.Digest))],
        [
            .. response.Snapshots.Select(snapshot => new ReplayedSnapshotDocument(
                snapshot.Namespace, snapshot.Snapshotter, snapshot.Key, snapshot.Parent, snapshot.Kind)),
        ]);
}

/// <summary>A container as it stood.</summary>
internal sealed record ReplayedContainerDocument(
    string Namespace, string Id, string Image, string Runtime, string Status, uint Pid, uint ExitStatus, DateTimeOffset? ExitedAt);

/// <summary>An image as it stood.</summary>
internal sealed record ReplayedImageDocument(string Namespace, string Name, string Digest);

/// <summary>A snapshot as it stood.</summary>
internal sealed record ReplayedSnapshotDocument(string Namespace, string Snapshotter, string Key, string Parent, string Kind);
