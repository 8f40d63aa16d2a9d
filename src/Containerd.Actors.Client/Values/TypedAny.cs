// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Client.Values;

/// <summary>Builds and reads <c>Any</c> as containerd does: the type url is the bare message name, without a host before it.</summary>
/// <remarks>
/// <c>Any.Pack</c> always writes a slash, which containerd's clients do not take for the same type; <c>Any.Is</c> and
/// <c>Unpack</c> do not read a url without one. Both forms are read here, only the bare one is written.
/// </remarks>
public static class TypedAny
{
    /// <summary>Type url under which a JSON runtime spec travels.</summary>
    public const string SpecUrl = "types.containerd.io/opencontainers/runtime-spec/1/Spec";

    /// <summary>Type url under which a JSON process of a runtime spec travels.</summary>
    public const string ProcessUrl = "types.containerd.io/opencontainers/runtime-spec/1/Process";

    /// <summary>The message under its bare name.</summary>
    public static Any Of(IMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return new Any { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() };
    }

    /// <summary>JSON, in UTF-8, under a url of its own.</summary>
    public static Any OfJson(string url, ReadOnlySpan<byte> json) => new() { TypeUrl = url, Value = ByteString.CopyFrom(json) };

    /// <summary>The name of the message inside: what stands behind the last slash of the url.</summary>
    public static string NameOf(Any any)
    {
        ArgumentNullException.ThrowIfNull(any);
        return any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..];
    }

    /// <summary>Reads the message if the url names its type and the bytes parse.</summary>
    public static bool TryRead<TMessage>(Any? any, MessageParser<TMessage> parser, [NotNullWhen(true)] out TMessage? message)
        where TMessage : class, IMessage<TMessage>, new()
    {
        ArgumentNullException.ThrowIfNull(parser);
        message = null;
        if (any is null || NameOf(any) != new TMessage().Descriptor.FullName)
        {
            return false;
        }

        try
        {
            message = parser.ParseFrom(any.Value);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }
}
