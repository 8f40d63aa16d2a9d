// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Persistence.Stored;
using Google.Protobuf;

namespace Containerd.Actors.Persistence.Savepoints;

/// <summary>Stores a savepoint that is a list of events, each in its own stored form.</summary>
internal sealed class EventsForm : SavepointForm
{
    public override string Manifest => "savepoint.events:1";

    public override Type StateType => typeof(Core.Events.Savepoint);

    public override byte[] Write(object state)
    {
        Stored.V1.StoredSavepoint stored = new();
        foreach (DomainEvent value in ((Core.Events.Savepoint)state).Events)
        {
            (string manifest, byte[] payload) = EventCodec.Write(value);
            stored.Events.Add(new Stored.V1.StoredSavepointEvent { Manifest = manifest, Payload = UnsafeByteOperations.UnsafeWrap(payload) });
        }

        return stored.ToByteArray();
    }

    public override object? Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            Stored.V1.StoredSavepoint stored = Stored.V1.StoredSavepoint.Parser.ParseFrom(bytes.Span);
            return new Core.Events.Savepoint([.. stored.Events.Select(entry => EventCodec.Read(entry.Manifest, entry.Payload.Span))]);
        }
        catch (Exception unusable) when (unusable is FormatException or InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
