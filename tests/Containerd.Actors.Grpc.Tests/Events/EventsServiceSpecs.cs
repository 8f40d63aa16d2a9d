// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Events;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Messages;
using Containerd.Events;
using Containerd.Services.Events.V1;
using Google.Protobuf.WellKnownTypes;
using Envelope = Containerd.Types.Envelope;

namespace Containerd.Actors.Grpc.Tests.Events;

public sealed class EventsServiceSpecs : IDisposable
{
    private static readonly Timestamp Now = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    private readonly PublishingTree _tree = new();
    private readonly CancellationTokenSource _hangUp = new();

    public void Dispose()
    {
        _tree.Dispose();
        _hangUp.Dispose();
    }

    [Theory]
    [InlineData("", "envelope topic \"\": must not be empty: invalid argument")]
    [InlineData("tasks", "envelope topic \"tasks\": must start with '/': invalid argument")]
    [InlineData("/", "envelope topic \"/\": must have at least one component: invalid argument")]
    [InlineData("/a b", "envelope topic \"/a b\": failed validation on component \"a b\": identifier \"a b\" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument")]
    public async Task What_is_no_topic_is_not_published(string topic, string text)
    {
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(
            () => _tree.Service().Publish(new PublishRequest { Topic = topic }, FakeCall.In("default")));
        Assert.Equal((ErrorKind.InvalidArgument, text), (refused.Error.Kind, refused.Error.Text));
    }

    [Fact]
    public async Task Publishing_needs_a_namespace()
    {
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(
            () => _tree.Service().Publish(new PublishRequest { Topic = "/t" }, new FakeCall()));
        Assert.Equal((ErrorKind.FailedPrecondition, "namespace is required: failed precondition"), (refused.Error.Kind, refused.Error.Text));
    }

    public static TheoryData<Envelope?, string> Envelopes => new()
    {
        { null, "envelope is required" },
        { new Envelope { Topic = "/t", Timestamp = Now }, "event envelope has invalid namespace: " },
        { new Envelope { Namespace = "bad name", Topic = "/t", Timestamp = Now }, "event envelope has invalid namespace: identifier \"bad name\" must match" },
        { new Envelope { Namespace = "n", Topic = "t", Timestamp = Now }, "envelope topic \"t\": " },
        { new Envelope { Namespace = "n", Topic = "/t" }, "timestamp must be set on forwarded event" },
        { new Envelope { Namespace = "n", Topic = "/t", Timestamp = new Timestamp { Seconds = -62135596800 } }, "timestamp must be set on forwarded event" },
    };

    [Theory]
    [MemberData(nameof(Envelopes))]
    public async Task An_envelope_that_is_not_whole_is_not_forwarded(Envelope? envelope, string text)
    {
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(
            () => _tree.Service().Forward(new ForwardRequest { Envelope = envelope }, new FakeCall()));
        Assert.Equal(ErrorKind.InvalidArgument, refused.Error.Kind);
        Assert.StartsWith(text, refused.Error.Text, StringComparison.Ordinal);
        Assert.EndsWith(": invalid argument", refused.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filters_that_are_none_end_the_subscription_unclassified()
    {
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(
            () => _tree.Service().Subscribe(new SubscribeRequest { Filters = { "topic=" } }, new StreamOf<Envelope>(), new FakeCall()));
        Assert.Equal(ErrorKind.Unknown, refused.Error.Kind);
        Assert.StartsWith("subscription error: failed parsing subscription filters: filters: parse error: ", refused.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscriber_sees_what_one_of_its_filters_lets_through_of_all_namespaces()
    {
        StreamOf<Envelope> stream = new();
        Task call = Subscribe(_tree.Service(), stream, "namespace==a,topic~=|^/tasks/|", "event.container_id==wanted");
        await _tree.UntilSubscribersAsync(1);
        _tree.Publish(
            Of("a", "/tasks/start", "x"), Of("a", "/images/create", "x"), Of("b", "/tasks/start", "x"), Of("b", "/tasks/oom", "wanted"), Of("a", "/tasks/exit", "y"));
        Assert.Equal(
            ["a /tasks/start", "b /tasks/oom", "a /tasks/exit"],
            (await stream.TakeAsync(3)).Select(envelope => $"{envelope.Namespace} {envelope.Topic}"));
        await _hangUp.CancelAsync();
        await call;
        Assert.Equal(0, stream.Waiting);
    }

    [Fact]
    public async Task Nothing_is_missed_after_the_headers()
    {
        StreamOf<Envelope> stream = new();
        FakeCall client = new() { HangUp = _hangUp.Token };
        Task call = _tree.Service().Subscribe(new SubscribeRequest(), stream, client);
        await client.HeadersWritten;
        _tree.Publish(Of("a", "/t", "x"));
        Assert.Equal("/t", Assert.Single(await stream.TakeAsync(1)).Topic);
        await _hangUp.CancelAsync();
        await call;
    }

    [Fact]
    public async Task Many_subscribers_see_the_same_in_the_same_order_and_leave_nothing()
    {
        EventsService service = _tree.Service();
        StreamOf<Envelope>[] streams = [.. Enumerable.Range(0, 200).Select(_ => new StreamOf<Envelope>())];
        Task[] calls = [.. streams.Select(stream => Subscribe(service, stream))];
        await _tree.UntilSubscribersAsync(streams.Length);
        _tree.Publish(Enumerable.Range(0, 50).Select(i => Of("a", $"/t/{i}", "x")));
        foreach (StreamOf<Envelope> stream in streams)
        {
            Assert.Equal(Enumerable.Range(0, 50).Select(i => $"/t/{i}"), (await stream.TakeAsync(50)).Select(envelope => envelope.Topic));
        }

        await _hangUp.CancelAsync();
        await Task.WhenAll(calls);
        await _tree.UntilSubscribersAsync(0);
    }

    [Fact]
    public async Task A_subscriber_that_falls_behind_gets_what_there_is_and_then_a_named_refusal_and_holds_up_nobody()
    {
        EventsService service = _tree.Service(queueMax: 10);
        StreamOf<Envelope> slow = new(isShut: true);
        StreamOf<Envelope> quick = new();
        Task slowCall = Subscribe(service, slow);
        Task quickCall = Subscribe(_tree.Service(), quick);
        await _tree.UntilSubscribersAsync(2);
        _tree.Publish(Enumerable.Range(0, 40).Select(i => Of("a", $"/t/{i}", "x")));
        Assert.Equal(40, (await quick.TakeAsync(40)).Count);
        await _tree.UntilSubscribersAsync(1);

        slow.Open();
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => slowCall);
        Assert.Equal(ErrorKind.ResourceExhausted, refused.Error.Kind);
        Assert.Contains("containerd.events.subscriber-queue-max", refused.Error.Text, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"/t/{i}"), (await slow.TakeAsync(10)).Select(envelope => envelope.Topic));
        await _hangUp.CancelAsync();
        await quickCall;
    }

    private Task Subscribe(EventsService service, StreamOf<Envelope> stream, params string[] filters) =>
        service.Subscribe(new SubscribeRequest { Filters = { filters } }, stream, new FakeCall { HangUp = _hangUp.Token });

    private static Publication Of(string ns, string topic, string container) =>
        new(ns, topic, DateTimeOffset.UnixEpoch, new TaskStart { ContainerId = container }.ToBareAny().ToValue()!);
}
