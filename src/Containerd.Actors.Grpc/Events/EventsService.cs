// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Filters;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Events.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Envelope = Containerd.Types.Envelope;

namespace Containerd.Actors.Grpc.Events;

/// <summary>Publishing, forwarding and following of events.</summary>
/// <param name="tree">The supervision tree.</param>
/// <param name="system">Where subscribers live.</param>
/// <param name="settings">Bounds.</param>
public sealed class EventsService(Tree tree, ActorSystem system, EventsSettings settings) : Services.Events.V1.Events.EventsBase
{
    /// <inheritdoc />
    public override async Task<Empty> Publish(PublishRequest request, ServerCallContext context)
    {
        string ns = context.Namespace();
        Require(Topics.Validate(request.Topic));
        AnyValue payload = request.Event.ToValue() ?? new AnyValue("", ReadOnlyMemory<byte>.Empty);
        await tree.AskAsync(new EventCommands.Publish(ns, request.Topic, payload, context.Caller()), context.CancellationToken)
            .ConfigureAwait(false);
        return new Empty();
    }

    /// <inheritdoc />
    public override async Task<Empty> Forward(ForwardRequest request, ServerCallContext context)
    {
        await tree.AskAsync(ToForward(request.Envelope, context.Caller()), context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    /// <inheritdoc />
    public override async Task Subscribe(SubscribeRequest request, IServerStreamWriter<Envelope> responseStream, ServerCallContext context)
    {
        FilterSet filter = Filters(request);
        Channel<Publication> queue = Channel.CreateBounded<Publication>(new BoundedChannelOptions(settings.SubscriberQueueMax) { SingleReader = true });
        IActorRef subscriber = system.ActorOf(Subscriber.Props(queue.Writer));
        try
        {
            tree.Root.Tell(new EventCommands.Subscribe(), subscriber);
            // Clients take the headers for the moment from which on nothing is missed.
            await context.WriteResponseHeadersAsync([]).ConfigureAwait(false);
            await foreach (Publication publication in queue.Reader.ReadAllAsync(context.CancellationToken).ConfigureAwait(false))
            {
                if (filter.Matches(EventFields.Of(publication)))
                {
                    await responseStream.WriteAsync(ToWire(publication), context.CancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The client hung up, which is how every subscription ends.
        }
        catch (SubscriberFellBehindException)
        {
            throw new RefusedException(new Error(
                ErrorKind.ResourceExhausted,
                $"event subscriber is more than {settings.SubscriberQueueMax} events behind (containerd.events.subscriber-queue-max)"));
        }
        finally
        {
            system.Stop(subscriber);
        }
    }

    /// <summary>The envelope of a shim or another publisher as a request to the tree.</summary>
    /// <exception cref="RefusedException">Namespace, topic or time are not valid.</exception>
    public static EventCommands.Forward ToForward(Envelope? envelope, Caller by)
    {
        if (envelope is null)
        {
            throw new RefusedException(Error.Invalid("envelope is required"));
        }

        Require(Identifiers.Validate(envelope.Namespace)?.While("event envelope has invalid namespace"));
        Require(Topics.Validate(envelope.Topic));
        if (envelope.Timestamp is not { } timestamp || timestamp.Seconds <= 0)
        {
            throw new RefusedException(Error.Invalid("timestamp must be set on forwarded event"));
        }

        AnyValue payload = envelope.Event.ToValue() ?? new AnyValue("", ReadOnlyMemory<byte>.Empty);
        return new EventCommands.Forward(envelope.Namespace, envelope.Topic, timestamp.ToDateTimeOffset(), payload, by);
    }

    private static FilterSet Filters(SubscribeRequest request)
    {
        try
        {
            return FilterSet.Parse(request.Filters);
        }
        catch (RefusedException refused)
        {
            // containerd does not classify this one; clients see it as unknown.
            throw new RefusedException(Error.Unknown($"subscription error: failed parsing subscription filters: {refused.Error.Text}"));
        }
    }

    private static Envelope ToWire(Publication publication) => new()
    {
        Timestamp = Timestamp.FromDateTimeOffset(publication.At),
        Namespace = publication.Namespace,
        Topic = publication.Topic,
        Event = publication.Payload.ToAny(),
    };

    private static void Require(Error? error)
    {
        if (error is not null)
        {
            throw new RefusedException(error);
        }
    }
}
