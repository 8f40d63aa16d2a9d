// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Node.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Principal = Containerd.Node.V1.Principal;

namespace Containerd.Actors.Grpc.Node;

/// <summary>The node as it was: the journal read, checked and replayed.</summary>
/// <param name="journal">The journal.</param>
public sealed class AuditService(IJournalReader journal) : Audit.AuditBase
{
    // Followers are told within this time; the journal is asked only for a number in between.
    private static readonly TimeSpan FollowInterval = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc />
    public override async Task Log(LogRequest request, IServerStreamWriter<Record> responseStream, ServerCallContext context)
    {
        if (request.Container.Length > 0 && request.Namespace.Length == 0)
        {
            throw new RefusedException(Error.Invalid("namespace is required with container"));
        }

        JournalFilter filter = request switch
        {
            { Container.Length: > 0 } => JournalFilter.Container(request.Namespace, request.Container),
            { Namespace.Length: > 0 } => new JournalFilter { Namespace = request.Namespace },
            _ => JournalFilter.All,
        };
        ulong cursor = request.Since;
        long left = request.Limit == 0 ? long.MaxValue : request.Limit;
        using PeriodicTimer timer = new(FollowInterval);
        while (true)
        {
            ulong last = journal.LastCursor;
            await foreach (JournalRecord record in journal.Read(cursor, left == long.MaxValue ? 0 : left, filter, context.CancellationToken).ConfigureAwait(false))
            {
                await responseStream.WriteAsync(ToWire(record), context.CancellationToken).ConfigureAwait(false);
                cursor = record.Cursor;
                left--;
            }

            if (!request.Follow || left <= 0)
            {
                return;
            }

            // What was not wanted need not be read again.
            cursor = Math.Max(cursor, last);
            while (journal.LastCursor <= cursor)
            {
                await timer.WaitForNextTickAsync(context.CancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc />
    public override async Task<VerifyResponse> Verify(VerifyRequest request, ServerCallContext context)
    {
        JournalVerification found = await journal.Verify(context.CancellationToken).ConfigureAwait(false);
        VerifyResponse response = new() { Records = found.Records, LastCursor = found.LastCursor };
        response.Damages.AddRange(found.Damages.Select(damage => new Damage { Cursor = damage.Cursor, Reason = damage.Reason }));
        return response;
    }

    /// <inheritdoc />
    public override async Task<ReplayResponse> Replay(ReplayRequest request, ServerCallContext context)
    {
        Core.Audit.Replay replay = await Core.Audit.Replay.At(
            journal,
            request.AtCase == ReplayRequest.AtOneofCase.Cursor ? request.Cursor : null,
            request.AtCase == ReplayRequest.AtOneofCase.Time ? request.Time.ToDateTimeOffset() : null,
            context.CancellationToken).ConfigureAwait(false);
        ReplayResponse response = new() { Cursor = replay.Cursor };
        response.Containers.AddRange(replay.Containers.Select(ToWire));
        response.Images.AddRange(replay.Images.Select(ToWire));
        response.Snapshots.AddRange(replay.Snapshots.Select(ToWire));
        return response;
    }

    private Record ToWire(JournalRecord record) => new()
    {
        Cursor = record.Cursor,
        At = Timestamp.FromDateTimeOffset(record.Recorded.At),
        Namespace = record.Recorded.Namespace,
        Entity = record.Entity,
        Event = journal.Manifest(record.Recorded.Event),
        Principal = ToWire(record.Recorded.By.Principal),
        Operation = record.Recorded.By.Operation,
        Trace = record.Recorded.By.Trace,
        Detail = AuditRendering.Detail(record.Recorded.Event),
        Hash = ByteString.CopyFrom(record.Hash.Span),
    };

    private static Principal ToWire(Protocol.Callers.Principal principal) => new()
    {
        Kind = principal.Kind switch
        {
            PrincipalKind.User => "user",
            PrincipalKind.Policy => "policy",
            PrincipalKind.Kernel => "kernel",
            _ => "actor",
        },
        Uid = principal.Uid,
        Gid = principal.Gid,
        Pid = principal.Pid,
        Executable = principal.Executable,
        Name = principal.Name,
    };

    private static Containerd.Node.V1.ReplayedContainer ToWire(Core.Audit.ReplayedContainer container) => new()
    {
        Namespace = container.Namespace,
        Id = container.Id,
        Image = container.Record?.Image ?? "",
        Runtime = container.Record?.RuntimeName ?? "",
        TaskStatus = container.TaskStatus,
        Pid = container.Pid,
        ExitStatus = container.ExitStatus,
        ExitedAt = container.ExitedAt is { } exitedAt ? Timestamp.FromDateTimeOffset(exitedAt) : null,
    };

    private static ReplayedImage ToWire((string Namespace, ImageRecord Image) image) =>
        new() { Namespace = image.Namespace, Name = image.Image.Name, Digest = image.Image.Target.Digest.ToString() };

    private static ReplayedSnapshot ToWire((string Namespace, SnapshotRecord Snapshot) snapshot) => new()
    {
        Namespace = snapshot.Namespace,
        Snapshotter = snapshot.Snapshot.Snapshotter,
        Key = snapshot.Snapshot.Key,
        Parent = snapshot.Snapshot.Parent,
        Kind = Core.Audit.Replay.Word(snapshot.Snapshot.Kind),
    };
}
