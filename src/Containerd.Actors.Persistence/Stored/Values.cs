// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Mappings of the values that several families share.</summary>
internal static class Values
{
    public static Timestamp Time(DateTimeOffset value) => Timestamp.FromDateTimeOffset(value);

    public static DateTimeOffset Time(Timestamp? value) => value is null ? default : value.ToDateTimeOffset();

    /// <summary>Fills a map in order of the keys, so that equal maps have equal bytes.</summary>
    public static T WithLabels<T>(this T message, MapField<string, string> into, ImmutableSortedDictionary<string, string>? labels)
    {
        foreach ((string key, string value) in labels ?? Labels.None)
        {
            into.Add(key, value);
        }

        return message;
    }

    public static V1.StoredAny? Any(AnyValue? value) =>
        value is null ? null : new V1.StoredAny { TypeUrl = value.TypeUrl, Value = ByteString.CopyFrom(value.Value.Span) };

    public static AnyValue? Any(V1.StoredAny? value) =>
        value is null ? null : new AnyValue(value.TypeUrl, value.Value.ToByteArray());

    public static V1.StoredStdio Stdio(ProcessStdio value) =>
        new() { Stdin = value.Stdin, Stdout = value.Stdout, Stderr = value.Stderr, Terminal = value.Terminal };

    public static ProcessStdio Stdio(V1.StoredStdio? value) =>
        value is null ? new ProcessStdio("", "", "", false) : new ProcessStdio(value.Stdin, value.Stdout, value.Stderr, value.Terminal);

    public static V1.StoredError Error(Error value) => new() { Kind = value.Kind.Text(), Message = value.Message };

    public static Error Error(V1.StoredError? value)
    {
        string text = value?.Kind ?? "";
        foreach (ErrorKind kind in System.Enum.GetValues<ErrorKind>())
        {
            if (kind.Text() == text)
            {
                return new Error(kind, value!.Message);
            }
        }

        throw new FormatException($"unknown class of error \"{text}\"");
    }

    public static V1.StoredDescriptor Descriptor(Descriptor value)
    {
        V1.StoredDescriptor stored = new() { MediaType = value.MediaType, Digest = value.Digest.ToString(), Size = value.Size };
        stored.WithLabels(stored.Annotations, value.Annotations);
        stored.Urls.AddRange(value.Urls ?? []);
        if (value.Platform is { } platform)
        {
            stored.Platform = new V1.StoredPlatform
            {
                Os = platform.Os,
                Architecture = platform.Architecture,
                Variant = platform.Variant ?? "",
                OsVersion = platform.OsVersion ?? "",
            };
        }

        return stored;
    }

    public static Descriptor Descriptor(V1.StoredDescriptor? value)
    {
        if (value is null)
        {
            throw new FormatException("a descriptor is missing");
        }

        return new Descriptor(value.MediaType, Digest(value.Digest), value.Size)
        {
            Annotations = value.Annotations.Count == 0 ? null : Labels.From(value.Annotations),
            Urls = value.Urls.Count == 0 ? null : [.. value.Urls],
            Platform = value.Platform is { } platform
                ? new Platform(platform.Os, platform.Architecture, OrNull(platform.Variant)) { OsVersion = OrNull(platform.OsVersion) }
                : null,
        };
    }

    /// <summary>A stored digest; the empty text is the digest that names nothing.</summary>
    public static Digest Digest(string value) => value.Length == 0 ? default : Oci.Images.Digest.Parse(value);

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}
