// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Output;
using Containerd.Actors.Cli.Pulling;
using Containerd.Actors.Client.Values;
using Containerd.Node.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl audit</c>: reads the journal, checks its chain, and rebuilds past state from it.</summary>
internal static class AuditCommand
{
    public static Command Build(GlobalOptions globals) => new("audit", "Read, check and replay the journal")
    {
        BuildLog(globals), BuildVerify(globals), BuildReplay(globals),
    };

    /// <summary>Prints records as they come in.</summary>
    internal static async Task<int> PrintLogAsync(Session session, LogRequest request, CancellationToken cancellation)
    {
        using AsyncServerStreamingCall<Record> log = session.Connection.Audit.Log(request, cancellationToken: cancellation);
        await foreach (Record record in log.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            if (session.Json)
            {
                JsonOutput.WriteLine(session.Out, RecordDocument.From(record), CliJson.Lines.RecordDocument);
            }
            else
            {
                string line = Line(record);
                await session.Out.WriteLineAsync(session.Width > 0 ? Table.Cut(line, session.Width) : line).ConfigureAwait(false);
                await session.Out.FlushAsync(cancellation).ConfigureAwait(false);
            }
        }

        return 0;
    }

    /// <summary>Reads a cursor.</summary>
    /// <exception cref="FormatException">The text is no number.</exception>
    internal static ulong ParseCursor(string text) => Moment.Parse(text).Cursor
        ?? throw new FormatException($"cursor \"{text}\": must be a number");

    /// <summary>One line: cursor, time, entity, event, on whose behalf, detail.</summary>
    internal static string Line(Record record)
    {
        string at = Instant.From(record.At) is { } time ? Ages.Rfc3339(time) : "-";
        string line = $"{record.Cursor.ToString(CultureInfo.InvariantCulture),6}  {at}  {record.Entity}  {record.Event}  {Who(record.Principal)}";
        return record.Detail.Length > 0 ? $"{line}  {record.Detail}" : line;
    }

    private static string Who(Principal? principal) => principal switch
    {
        null => "-",
        { Kind: "user" } => string.Create(
            CultureInfo.InvariantCulture, $"uid {principal.Uid} pid {principal.Pid} {principal.Executable}").TrimEnd(),
        _ => $"{principal.Kind} {principal.Name}".TrimEnd(),
    };

    private static Command BuildLog(GlobalOptions globals)
    {
        Option<string> container = RunCommand.One("--container", "-c", "ID", "Only what concerns this container");
        Option<string> since = RunCommand.One("--since", null, "CURSOR", "Begin behind this record");
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what comes" };
        var log = new Command("log", "Print the records of the journal") { container, since, follow };
        log.Act(globals, _ => "audit log", (session, parsed, cancellation) => PrintLogAsync(
            session,
            new LogRequest
            {
                Since = parsed.GetValue(since) is { } cursor ? ParseCursor(cursor) : 0,
                Container = parsed.GetValue(container) ?? "",
                Namespace = NamespaceOf(parsed, globals, parsed.GetValue(container)),
                Follow = parsed.GetValue(follow),
            },
            cancellation));
        return log;
    }

    // The log is the node's: it is cut to a namespace only if one was named, or by the container's.
    private static string NamespaceOf(ParseResult parsed, GlobalOptions globals, string? container)
    {
        bool named = parsed.GetResult(globals.Namespace) is { Implicit: false };
        return named || container is not null ? parsed.GetRequiredValue(globals.Namespace) : "";
    }

    private static Command BuildVerify(GlobalOptions globals)
    {
        var verify = new Command("verify", "Check the hash chain of the journal; exit code 1 if it is broken");
        verify.Act(globals, _ => "audit verify", async (session, _, cancellation) =>
        {
            VerifyResponse response = await session.Connection.Audit.VerifyAsync(
                new VerifyRequest(), cancellationToken: cancellation).ConfigureAwait(false);
            if (session.Json)
            {
                JsonOutput.WriteLine(session.Out, VerifyDocument.From(response), CliJson.Documents.VerifyDocument);
                return response.Damages.Count == 0 ? 0 : ExitCodes.Failed;
            }

            foreach (Damage damage in response.Damages)
            {
                await session.Out.WriteLineAsync(
                    string.Create(CultureInfo.InvariantCulture, $"cursor {damage.Cursor}: {damage.Reason}")).ConfigureAwait(false);
            }

            if (response.Damages.Count > 0)
            {
                throw new CliFailure("journal", $"the chain is broken in {response.Damages.Count} places");
            }

            await session.Out.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"the chain holds: {response.Records} records, last cursor {response.LastCursor}")).ConfigureAwait(false);
            return 0;
        });
        return verify;
    }

    private static Command BuildReplay(GlobalOptions globals)
    {
        Option<string> at = RunCommand.One("--at", null, "CURSOR|TIME", "The moment (default: now); a time as 2026-01-31T12:00:00Z");
        var replay = new Command("replay", "Print the state at a moment, rebuilt from the journal alone") { at };
        replay.Act(globals, _ => "audit replay", async (session, parsed, cancellation) =>
        {
            var request = new ReplayRequest();
            if (parsed.GetValue(at) is { } text)
            {
                Moment moment = Moment.Parse(text);
                if (moment.Cursor is { } cursor)
                {
                    request.Cursor = cursor;
                }
                else
                {
                    request.Time = Timestamp.FromDateTimeOffset(moment.Time!.Value);
                }
            }

            ReplayResponse response = await session.Connection.Audit.ReplayAsync(
                request, cancellationToken: cancellation).ConfigureAwait(false);
            ReplayDocument document = ReplayDocument.From(response);
            if (session.Json)
            {
                JsonOutput.WriteLine(session.Out, document, CliJson.Documents.ReplayDocument);
                return 0;
            }

            Print(session, document);
            return 0;
        });
        return replay;
    }

    private static void Print(Session session, ReplayDocument replayed)
    {
        session.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"as of cursor {replayed.Cursor}"));
        var containers = new Table("NAMESPACE", "CONTAINER", "IMAGE", "TASK", "PID");
        foreach (ReplayedContainerDocument container in replayed.Containers)
        {
            string status = container.Status == "stopped"
                ? string.Create(CultureInfo.InvariantCulture, $"stopped ({container.ExitStatus})")
                : container.Status;
            string pid = container.Pid > 0 ? container.Pid.ToString(CultureInfo.InvariantCulture) : "-";
            containers.Add(container.Namespace, container.Id, container.Image, status, pid);
        }

        var images = new Table("NAMESPACE", "IMAGE", "DIGEST");
        foreach (ReplayedImageDocument image in replayed.Images)
        {
            images.Add(image.Namespace, image.Name, ProgressLines.ShortDigest(image.Digest));
        }

        var snapshots = new Table("NAMESPACE", "SNAPSHOTTER", "SNAPSHOT", "PARENT", "KIND");
        foreach (ReplayedSnapshotDocument snapshot in replayed.Snapshots)
        {
            snapshots.Add(snapshot.Namespace, snapshot.Snapshotter, snapshot.Key, snapshot.Parent, snapshot.Kind);
        }

        foreach (Table table in (Table[])[containers, images, snapshots])
        {
            session.Out.WriteLine();
            session.Print(table);
        }
    }
}
