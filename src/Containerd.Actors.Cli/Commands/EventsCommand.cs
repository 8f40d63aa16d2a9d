// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Output;
using Containerd.Actors.Cli.Publications;
using Containerd.Actors.Client.Values;
using Containerd.Services.Events.V1;
using Containerd.Types;
using Grpc.Core;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl events</c>: prints events as they come, or the journal from a cursor on without a gap.</summary>
internal static class EventsCommand
{
    private static readonly Argument<string[]> Filters = new("FILTER")
    {
        Description = "containerd filter, for example 'topic==\"/tasks/exit\"'; several are alternatives",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<string> Since = RunCommand.One("--since", null, "CURSOR", "Begin behind this record of the journal");

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("events", "Print events as they come") { Filters, Since };
        command.Act(globals, _ => "events", async (session, parsed, cancellation) =>
        {
            string[] filters = parsed.GetValue(Filters) ?? [];
            if (parsed.GetValue(Since) is not { } since)
            {
                return await SubscribeAsync(session, filters, cancellation).ConfigureAwait(false);
            }

            if (filters.Length > 0)
            {
                throw new CliFailure("events", "filters do not work on the journal", "drop --since, or use \"cactl audit log --container ID\"");
            }

            return await AuditCommand.PrintLogAsync(
                session, new Node.V1.LogRequest { Since = AuditCommand.ParseCursor(since), Follow = true }, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>One line: time, namespace, topic, payload.</summary>
    internal static string Line(EventDocument published) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(published.Timestamp is { } at ? Ages.Rfc3339(at) : "-")} {published.Namespace} {published.Topic} {published.Event?.ToJsonString(CliJson.Lines.Options) ?? published.Type}");

    internal static EventDocument Read(Envelope envelope) => new(
        Instant.From(envelope.Timestamp),
        envelope.Namespace,
        envelope.Topic,
        envelope.Event is null ? "" : TypedAny.NameOf(envelope.Event),
        EventPayload.Read(envelope.Event));

    private static async Task<int> SubscribeAsync(Session session, string[] filters, CancellationToken cancellation)
    {
        var request = new SubscribeRequest();
        request.Filters.AddRange(filters);
        using AsyncServerStreamingCall<Envelope> events = session.Connection.Events.Subscribe(request, cancellationToken: cancellation);
        await foreach (Envelope envelope in events.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            EventDocument published = Read(envelope);
            if (session.Json)
            {
                JsonOutput.WriteLine(session.Out, published, CliJson.Lines.EventDocument);
            }
            else
            {
                await session.Out.WriteLineAsync(Line(published)).ConfigureAwait(false);
                await session.Out.FlushAsync(cancellation).ConfigureAwait(false);
            }
        }

        return 0;
    }
}
