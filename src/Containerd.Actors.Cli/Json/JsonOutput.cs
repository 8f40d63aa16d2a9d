// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Containerd.Actors.Cli.Json;

/// <summary>Writes JSON: one document that people can read too, or one line of a stream.</summary>
internal static class JsonOutput
{
    /// <summary>Writes a document and a line feed; use a type of <see cref="CliJson.Documents"/>.</summary>
    public static void WriteLine<T>(TextWriter output, T value, JsonTypeInfo<T> type)
    {
        output.WriteLine(JsonSerializer.Serialize(value, type));
        output.Flush();
    }
}
