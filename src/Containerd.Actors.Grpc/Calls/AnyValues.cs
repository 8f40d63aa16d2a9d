// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Calls;

/// <summary>Between the wire's <see cref="Any"/> and <see cref="AnyValue"/>: names stay bare, bytes stay as they came.</summary>
public static class AnyValues
{
    /// <summary>The value with its type's name as it came; null stays null.</summary>
    public static AnyValue? ToValue(this Any? any) => any is null ? null : new AnyValue(any.TypeUrl, any.Value.Memory);

    /// <summary>The same bytes under the same name; null stays null.</summary>
    public static Any? ToAny(this AnyValue? value) =>
        value is null ? null : new Any { TypeUrl = value.TypeUrl, Value = ByteString.CopyFrom(value.Value.Span) };

    /// <summary>A message under its bare name, as containerd's clients want it.</summary>
    public static Any ToBareAny(this IMessage message) => new() { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() };

    /// <summary>The name of the type without what some clients put before it.</summary>
    public static string TypeName(this Any any) => any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..];

    /// <summary>The message in it.</summary>
    /// <exception cref="RefusedException">It is of another type, or its bytes are not such a message.</exception>
    public static T Read<T>(this Any any, MessageParser<T> parser)
        where T : IMessage<T>, new()
    {
        string wanted = new T().Descriptor.FullName;
        if (any.TypeName() != wanted)
        {
            throw new RefusedException(Error.Invalid($"message of type {any.TypeUrl} where {wanted} is expected"));
        }

        try
        {
            return parser.ParseFrom(any.Value);
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw new RefusedException(Error.Invalid($"malformed {wanted}"), malformed);
        }
    }

    /// <summary>Labels of a request; names without a value are not kept.</summary>
    public static ImmutableSortedDictionary<string, string> ToLabels(this IEnumerable<KeyValuePair<string, string>> wire) =>
        Labels.From(wire.Where(pair => pair.Value.Length > 0));

    /// <summary>The moment, or Go's zero time (year 1) when there is none: clients test for it.</summary>
    public static Timestamp ToTimestamp(this DateTimeOffset? moment) =>
        moment is { } known ? Timestamp.FromDateTimeOffset(known) : new Timestamp { Seconds = -62135596800 };
}
