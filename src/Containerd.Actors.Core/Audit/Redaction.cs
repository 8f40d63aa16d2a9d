// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text.Json;

namespace Containerd.Actors.Core.Audit;

/// <summary>Takes secrets out of what is shown: values of environment variables and whatever looks like a credential.</summary>
/// <remarks>Only renderings are redacted. The record that a container runs from keeps its environment.</remarks>
public static class Redaction
{
    /// <summary>Stands where a secret was.</summary>
    public const string Mark = "<redacted>";

    private static readonly SearchValues<string> CredentialWords = SearchValues.Create(
        ["password", "passwd", "passphrase", "secret", "token", "credential", "authorization", "apikey", "api_key", "api-key",
            "access_key", "access-key", "accesskey", "private_key", "private-key", "privatekey"],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>True when a name says that its value is a credential.</summary>
    public static bool IsCredentialName(ReadOnlySpan<char> name) => name.ContainsAny(CredentialWords);

    /// <summary>An environment entry <c>NAME=value</c> without its value.</summary>
    public static string Environment(string entry)
    {
        int equals = entry.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? entry : entry[..(equals + 1)] + Mark;
    }

    /// <summary>Arguments of a process without the values that their names, or the options before them, call credentials.</summary>
    public static IEnumerable<string> Arguments(IEnumerable<string> arguments)
    {
        bool isNextSecret = false;
        foreach (string argument in arguments)
        {
            yield return isNextSecret ? Mark : Text(argument);
            isNextSecret = argument.StartsWith('-') && !argument.Contains('=', StringComparison.Ordinal) && IsCredentialName(argument);
        }
    }

    /// <summary>A text without the credentials that can be recognised in it: <c>name=value</c> and the user part of a URL.</summary>
    public static string Text(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0 && IsCredentialName(text.AsSpan(0, equals)))
        {
            return text[..(equals + 1)] + Mark;
        }

        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
        {
            return text;
        }

        int start = scheme + 3;
        int end = text.AsSpan(start).IndexOfAny('/', '?', ' ') is var slash and >= 0 ? start + slash : text.Length;
        int at = text.AsSpan(start, end - start).LastIndexOf('@');
        return at < 0 ? text : $"{text[..start]}{Mark}{text[(start + at)..]}";
    }

    /// <summary>Copies JSON without its secrets.</summary>
    /// <param name="writer">Takes the copy.</param>
    /// <param name="element">What is copied.</param>
    public static void Copy(Utf8JsonWriter writer, JsonElement element)
    {
        ArgumentNullException.ThrowIfNull(writer);
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    writer.WritePropertyName(property.Name);
                    Property(writer, property);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in element.EnumerateArray())
                {
                    Copy(writer, item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Text(element.GetString()!));
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    private static void Property(Utf8JsonWriter writer, JsonProperty property)
    {
        bool isArray = property.Value.ValueKind == JsonValueKind.Array;
        if (isArray && property.NameEquals("env"))
        {
            Strings(writer, property.Value, items => items.Select(Environment));
        }
        else if (isArray && property.NameEquals("args"))
        {
            Strings(writer, property.Value, Arguments);
        }
        else if (property.Value.ValueKind == JsonValueKind.String && IsCredentialName(property.Name))
        {
            writer.WriteStringValue(Mark);
        }
        else
        {
            Copy(writer, property.Value);
        }
    }

    private static void Strings(Utf8JsonWriter writer, JsonElement array, Func<IEnumerable<string>, IEnumerable<string>> redact)
    {
        writer.WriteStartArray();
        IEnumerable<string> items = array.EnumerateArray()
            .Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : Mark);
        foreach (string item in redact(items))
        {
            writer.WriteStringValue(item);
        }

        writer.WriteEndArray();
    }
}
