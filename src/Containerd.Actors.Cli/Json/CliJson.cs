// SPDX-License-Identifier: Apache-2.0

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Containerd.Actors.Cli.Json;

/// <summary>The shapes of <c>--json</c>. Names are never changed, members only added.</summary>
[JsonSerializable(typeof(IReadOnlyList<ImageDocument>))]
[JsonSerializable(typeof(IReadOnlyList<ContainerDocument>))]
[JsonSerializable(typeof(InspectDocument))]
[JsonSerializable(typeof(PullDocument))]
[JsonSerializable(typeof(TransferDocument))]
[JsonSerializable(typeof(MadeImageDocument))]
[JsonSerializable(typeof(EventDocument))]
[JsonSerializable(typeof(IReadOnlyList<TreeDocument>))]
[JsonSerializable(typeof(RecordDocument))]
[JsonSerializable(typeof(VerifyDocument))]
[JsonSerializable(typeof(ReplayDocument))]
[JsonSerializable(typeof(CollectDocument))]
[JsonSerializable(typeof(IReadOnlyList<ExplanationDocument>))]
[JsonSerializable(typeof(ImportDocument))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>For documents: indented.</summary>
    public static CliJson Documents { get; } = new(Settings(indented: true));

    /// <summary>For streams: one line each.</summary>
    public static CliJson Lines { get; } = new(Settings(indented: false));

    private static JsonSerializerOptions Settings(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = indented,
    };
}
