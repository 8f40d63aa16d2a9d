// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Containerd.Actors.Cli.Commands;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Client.Values;
using Containerd.Events;
using Containerd.Node.V1;
using Containerd.Services.Containers.V1;
using Containerd.Types;
using Containerd.V1.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Record = Containerd.Node.V1.Record;

namespace Containerd.Actors.Cli.Tests.Json;

public sealed class JsonSpecs
{
    private static readonly DateTimeOffset At = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_stopped_container_tells_its_exit()
    {
        var task = new Process { Id = "x", Pid = 7, Status = V1.Types.Status.Stopped, ExitStatus = 3, ExitedAt = Timestamp.FromDateTimeOffset(At) };

        ContainerDocument document = ContainerDocument.From(Redis(), task);

        Assert.Equal(
            """{"id":"x","image":"redis","status":"stopped","pid":7,"exitStatus":3,"exitedAt":"2026-01-31T12:00:00+00:00","runtime":"r","labels":{"k":"v"}}""",
            JsonSerializer.Serialize(document, CliJson.Lines.ContainerDocument));
        Assert.Equal("STOPPED (3) 5 s ago", PsCommand.Status(document, At.AddSeconds(5)));
        Assert.False(ContainerDocument.IsAlive(task));
    }

    [Fact]
    public void A_container_without_a_task_says_so()
    {
        ContainerDocument document = ContainerDocument.From(Redis(), null);

        Assert.Equal("""{"id":"x","image":"redis","status":"none","runtime":"r","labels":{"k":"v"}}""",
            JsonSerializer.Serialize(document, CliJson.Lines.ContainerDocument));
        Assert.Equal("NO TASK", PsCommand.Status(document, At));
    }

    [Fact]
    public void An_event_is_decoded_with_the_names_of_the_protocol()
    {
        var exit = new TaskExit { ContainerId = "x", Id = "x", Pid = 7, ExitStatus = 137, ExitedAt = Timestamp.FromDateTimeOffset(At) };
        var envelope = new Envelope
        {
            Timestamp = Timestamp.FromDateTimeOffset(At), Namespace = "default", Topic = "/tasks/exit", Event = TypedAny.Of(exit),
        };

        EventDocument read = EventsCommand.Read(envelope);

        Assert.Equal(
            """2026-01-31T12:00:00.000Z default /tasks/exit {"container_id":"x","id":"x","pid":7,"exit_status":137,"exited_at":"2026-01-31T12:00:00.000Z"}""",
            EventsCommand.Line(read));
        Assert.Equal("containerd.events.TaskExit", read.Type);
    }

    [Fact]
    public void An_unknown_or_broken_event_is_shown_by_its_type()
    {
        EventDocument unknown = EventsCommand.Read(new Envelope { Topic = "/x", Event = new Any { TypeUrl = "their.Own" } });
        EventDocument broken = EventsCommand.Read(new Envelope
        {
            Topic = "/x",
            Event = new Any { TypeUrl = "containerd.events.TaskExit", Value = ByteString.CopyFrom(0xff, 0xff) },
        });

        Assert.EndsWith("/x their.Own", EventsCommand.Line(unknown), StringComparison.Ordinal);
        Assert.Null(broken.Event);
    }

    [Fact]
    public void A_record_carries_its_detail_as_json()
    {
        var record = new Record
        {
            Cursor = 9,
            At = Timestamp.FromDateTimeOffset(At),
            Namespace = "default",
            Entity = "task/default/x",
            Event = "task.exited:1",
            Principal = new Principal { Kind = "user", Uid = 0, Pid = 12, Executable = "/bin/cactl" },
            Detail = """{"status":3}""",
            Hash = ByteString.CopyFrom(0xab, 0x01),
        };

        Assert.Equal(
            """{"cursor":9,"at":"2026-01-31T12:00:00+00:00","namespace":"default","entity":"task/default/x","event":"task.exited:1","principal":{"kind":"user","uid":0,"gid":0,"pid":12,"executable":"/bin/cactl"},"detail":{"status":3},"hash":"ab01"}""",
            JsonSerializer.Serialize(RecordDocument.From(record), CliJson.Lines.RecordDocument));
        Assert.Equal(
            """     9  2026-01-31T12:00:00.000Z  task/default/x  task.exited:1  uid 0 pid 12 /bin/cactl  {"status":3}""",
            AuditCommand.Line(record));
    }

    [Fact]
    public void A_detail_that_is_no_json_is_kept_as_text() =>
        Assert.Equal("plain", RecordDocument.From(new Record { Detail = "plain" }).Detail?.GetString());

    [Fact]
    public void A_broken_chain_is_not_intact()
    {
        var response = new VerifyResponse { Records = 4, LastCursor = 9, Damages = { new Damage { Cursor = 3, Reason = "edited" } } };

        Assert.Equal(
            """{"records":4,"lastCursor":9,"intact":false,"damages":[{"cursor":3,"reason":"edited"}]}""",
            JsonSerializer.Serialize(VerifyDocument.From(response), CliJson.Lines.VerifyDocument));
    }

    [Fact]
    public void A_replay_lists_what_stood()
    {
        var response = new ReplayResponse { Cursor = 5, Images = { new ReplayedImage { Namespace = "n", Name = "a", Digest = "d" } } };

        Assert.Equal(
            """{"cursor":5,"containers":[],"images":[{"namespace":"n","name":"a","digest":"d"}],"snapshots":[]}""",
            JsonSerializer.Serialize(ReplayDocument.From(response), CliJson.Lines.ReplayDocument));
    }

    [Fact]
    public void A_spec_that_is_no_json_is_left_out()
    {
        Assert.Null(InspectCommand.ReadSpec(null));
        Assert.Null(InspectCommand.ReadSpec(new Any { Value = ByteString.CopyFrom(1, 2) }));
        Assert.Equal(JsonValueKind.Object, InspectCommand.ReadSpec(TypedAny.OfJson("x", "{}"u8))?.ValueKind);
    }

    private static Container Redis() => new()
    {
        Id = "x", Image = "redis", Runtime = new Container.Types.Runtime { Name = "r" }, Labels = { ["k"] = "v" },
    };
}
