// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;
using Containerd.Actors.Core.Filters;
using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Values;
using Containerd.Events;
using Containerd.Services.Images.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Containerd.Actors.Grpc.Events;

/// <summary>The fields of an event by which subscribers filter: <c>namespace</c>, <c>topic</c>, and <c>event.</c> with a path into the payload.</summary>
/// <remarks>
/// Of the payloads that containerd knows, whoever published them, texts, truth values and labels can be filtered by, nested ones too;
/// an empty text counts as absent. Payloads are read only for filters that look into them, by their descriptors and without reflection.
/// </remarks>
public static class EventFields
{
    private const int DepthMax = 8;

    private static readonly FrozenDictionary<string, MessageDescriptor> Known = new[]
    {
        ContainerReflection.Descriptor, ContentReflection.Descriptor, ImageReflection.Descriptor, NamespaceReflection.Descriptor,
        SandboxReflection.Descriptor, SnapshotReflection.Descriptor, TaskReflection.Descriptor,
    }.SelectMany(file => file.MessageTypes).ToFrozenDictionary(message => message.FullName, StringComparer.Ordinal);

    /// <summary>The fields of a publication.</summary>
    public static FieldAdaptor Of(Publication publication)
    {
        Dictionary<string, string>? payload = null;
        return (IReadOnlyList<string> path, out string value) =>
        {
            string? found = path switch
            {
                ["namespace"] when publication.Namespace.Length > 0 => publication.Namespace,
                ["topic"] when publication.Topic.Length > 0 => publication.Topic,
                ["event", ..] => (payload ??= Read(publication.Payload)).GetValueOrDefault(string.Join('.', path.Skip(1))),
                _ => null,
            };
            value = found ?? "";
            return found is not null;
        };
    }

    private static Dictionary<string, string> Read(AnyValue payload)
    {
        Dictionary<string, string> fields = [];

        // Type checks of containerd want the bare name; a prefixed one is no known type to it.
        if (Known.TryGetValue(payload.TypeUrl, out MessageDescriptor? message))
        {
            try
            {
                Read(message, new CodedInputStream(payload.Value.ToArray()), "", fields, 0);
            }
            catch (Exception malformed) when (malformed is InvalidProtocolBufferException or IOException)
            {
                fields.Clear();
            }
        }

        return fields;
    }

    private static void Read(MessageDescriptor message, CodedInputStream input, string prefix, Dictionary<string, string> fields, int depth)
    {
        // A truth value that is not on the wire is false, and there.
        foreach (FieldDescriptor flag in message.Fields.InDeclarationOrder().Where(field => field.FieldType == FieldType.Bool))
        {
            fields[prefix + flag.Name] = "false";
        }

        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            FieldDescriptor? field = message.FindFieldByNumber(WireFormat.GetTagFieldNumber(tag));
            switch (field?.FieldType, WireFormat.GetTagWireType(tag))
            {
                case (FieldType.String, WireFormat.WireType.LengthDelimited):
                    if (input.ReadString() is { Length: > 0 } text)
                    {
                        fields[prefix + field!.Name] = text;
                    }

                    break;
                case (FieldType.Bool, WireFormat.WireType.Varint):
                    fields[prefix + field!.Name] = input.ReadBool() ? "true" : "false";
                    break;
                case (FieldType.Message, WireFormat.WireType.LengthDelimited) when field!.IsMap:
                    ReadPair(input.ReadBytes(), $"{prefix}{field.Name}.", fields);
                    break;
                case (FieldType.Message, WireFormat.WireType.LengthDelimited) when !field!.IsRepeated && depth < DepthMax:
                    Read(field.MessageType, input.ReadBytes().CreateCodedInput(), $"{prefix}{field.Name}.", fields, depth + 1);
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
    }

    // protobuf, "Maps": an entry is a message with the key as field 1 and the value as field 2.
    private static void ReadPair(ByteString entry, string prefix, Dictionary<string, string> fields)
    {
        string key = "";
        string value = "";
        CodedInputStream input = entry.CreateCodedInput();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (1, WireFormat.WireType.LengthDelimited): key = input.ReadString(); break;
                case (2, WireFormat.WireType.LengthDelimited): value = input.ReadString(); break;
                default: input.SkipLastField(); break;
            }
        }

        fields[prefix + key] = value;
    }
}
