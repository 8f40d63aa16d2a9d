// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Google.Protobuf;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>How one kind of event is stored: its manifest and the mapping both ways.</summary>
internal abstract class EventForm(string manifest, Type eventType)
{
    /// <summary>Entity, fact and version of the schema, for example <c>task.exited:1</c>. Never reused.</summary>
    public string Manifest { get; } = manifest;

    /// <summary>The event in Core.</summary>
    public Type EventType { get; } = eventType;

    /// <summary>The event as the message that is stored.</summary>
    public abstract IMessage Write(DomainEvent value);

    /// <summary>The event in stored bytes.</summary>
    /// <exception cref="InvalidProtocolBufferException">The bytes are not such a message.</exception>
    /// <exception cref="FormatException">A field has a value that its meaning does not allow.</exception>
    public abstract DomainEvent Read(ReadOnlySpan<byte> payload);

    /// <summary>A form from its two mappings.</summary>
    public static EventForm Of<TEvent, TMessage>(
        string manifest, MessageParser<TMessage> parser, Func<TEvent, TMessage> write, Func<TMessage, TEvent> read)
        where TEvent : DomainEvent
        where TMessage : IMessage<TMessage> => new Mapped<TEvent, TMessage>(manifest, parser, write, read);

    private sealed class Mapped<TEvent, TMessage>(
        string manifest, MessageParser<TMessage> parser, Func<TEvent, TMessage> write, Func<TMessage, TEvent> read)
        : EventForm(manifest, typeof(TEvent))
        where TEvent : DomainEvent
        where TMessage : IMessage<TMessage>
    {
        public override IMessage Write(DomainEvent value) => write((TEvent)value);

        public override DomainEvent Read(ReadOnlySpan<byte> payload) => read(parser.ParseFrom(payload));
    }
}
