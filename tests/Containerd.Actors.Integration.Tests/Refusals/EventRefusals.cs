// SPDX-License-Identifier: Apache-2.0

using Containerd.Events;
using Containerd.Services.Events.V1;
using Containerd.Services.Namespaces.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Envelope = Containerd.Types.Envelope;

namespace Containerd.Actors.Integration.Tests.Refusals;

/// <summary>What the events service refuses, and how it says so.</summary>
public sealed class EventRefusals(Face face) : IClassFixture<Face>
{
    private readonly Services.Events.V1.Events.EventsClient _events = new(face.Invoker);
    private readonly string _ns = $"n{Guid.NewGuid():N}";

    private static Timestamp Now => Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    [SkippableTheory]
    [InlineData("", "must not be empty")]
    [InlineData("t", "must start with '/'")]
    [InlineData("/", "must have at least one component")]
    [InlineData("/a b", "failed validation on component \"a b\": identifier \"a b\" must match .*")]
    public async Task What_is_no_topic_is_not_published(string topic, string why)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Refusal.MatchesAsync(
            StatusCode.InvalidArgument,
            $"^envelope topic \"{topic}\": {why}: invalid argument$",
            _events.PublishAsync(new PublishRequest { Topic = topic, Event = new Any { TypeUrl = "x" } }, Face.In(_ns)));
    }

    [SkippableFact]
    public async Task Publishing_needs_a_namespace()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Refusal.MatchesAsync(
            StatusCode.FailedPrecondition,
            "namespace is required: failed precondition$",
            _events.PublishAsync(new PublishRequest { Topic = "/t", Event = new Any { TypeUrl = "x" } }));
    }

    public static TheoryData<Envelope, string> Envelopes => new()
    {
        { new Envelope { Topic = "/t", Timestamp = Now }, "event envelope has invalid namespace: .*" },
        { new Envelope { Namespace = "a b", Topic = "/t", Timestamp = Now }, "event envelope has invalid namespace: identifier \"a b\" must match .*" },
        { new Envelope { Namespace = "n", Topic = "t", Timestamp = Now }, "must start with '/'" },
        { new Envelope { Namespace = "n", Topic = "/t", Timestamp = new Timestamp { Seconds = -62135596800 } }, "timestamp must be set on forwarded event" },
    };

    [SkippableTheory]
    [MemberData(nameof(Envelopes))]
    public async Task An_envelope_that_is_not_whole_is_not_forwarded(Envelope envelope, string why)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        envelope.Event = new Any { TypeUrl = "x" };
        await Refusal.MatchesAsync(StatusCode.InvalidArgument, $"{why}: invalid argument$", _events.ForwardAsync(new ForwardRequest { Envelope = envelope }));
    }

    [SkippableFact]
    public async Task Filters_that_are_none_end_the_subscription_unclassified()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using AsyncServerStreamingCall<Envelope> call = _events.Subscribe(new SubscribeRequest { Filters = { "topic=" } });
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.Unknown, refused.StatusCode);
        Assert.StartsWith("subscription error: failed parsing subscription filters: ", refused.Status.Detail, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Subscribers_see_what_their_filters_let_through_whoever_published_it()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await using Subscription mine = new(_events, $"namespace=={_ns},event.container_id==wanted", $"event.name=={_ns}");
        await using Subscription all = new(_events, $"namespace=={_ns}");
        await mine.UntilReadyAsync(_events, _ns);
        await all.UntilReadyAsync(_events, _ns);

        await PublishAsync("/tasks/oom", new TaskOOM { ContainerId = "other" });
        await PublishAsync("/tasks/oom", new TaskOOM { ContainerId = "wanted" });
        await new Namespaces.NamespacesClient(face.Invoker).CreateAsync(new CreateNamespaceRequest { Namespace = new Namespace { Name = _ns, Labels = { ["a"] = "b" } } });
        await new Namespaces.NamespacesClient(face.Invoker).DeleteAsync(new DeleteNamespaceRequest { Name = _ns });
        await PublishAsync("/end", new TaskOOM { ContainerId = "wanted" });

        Assert.Equal(["/tasks/oom", "/namespaces/create", "/namespaces/delete", "/end"], await mine.UntilAsync("/end"));
        Assert.Equal(["/tasks/oom", "/tasks/oom", "/namespaces/create", "/namespaces/delete", "/end"], await all.UntilAsync("/end"));
    }

    private async Task PublishAsync(string topic, IMessage message) => await _events.PublishAsync(
        new PublishRequest { Topic = topic, Event = new Any { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() } }, Face.In(_ns));

    // A subscription says nothing when it begins: it is there when it tells of something published after it.
    private sealed class Subscription(Services.Events.V1.Events.EventsClient events, params string[] filters) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(30));
        private readonly string _probe = $"/probe/{Guid.NewGuid():N}";
        private AsyncServerStreamingCall<Envelope>? _call;

        public async Task UntilReadyAsync(Services.Events.V1.Events.EventsClient publisher, string ns)
        {
            _call = events.Subscribe(new SubscribeRequest { Filters = { filters.Append($"topic==\"{_probe}\"") } }, cancellationToken: _patience.Token);
            Task<bool> first = _call.ResponseStream.MoveNext(_patience.Token);
            using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
            while (!first.IsCompleted)
            {
                await publisher.PublishAsync(new PublishRequest { Topic = _probe, Event = new Any { TypeUrl = "x" } }, Face.In(ns));
                await timer.WaitForNextTickAsync(_patience.Token);
            }

            Assert.True(await first);
        }

        public async Task<List<string>> UntilAsync(string last)
        {
            List<string> topics = [];
            while (topics.LastOrDefault() != last && await _call!.ResponseStream.MoveNext(_patience.Token))
            {
                if (!_call.ResponseStream.Current.Topic.StartsWith("/probe/", StringComparison.Ordinal))
                {
                    topics.Add(_call.ResponseStream.Current.Topic);
                }
            }

            return topics;
        }

        public async ValueTask DisposeAsync()
        {
            await _patience.CancelAsync();
            _call?.Dispose();
            _patience.Dispose();
        }
    }
}
