// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;
using Containerd.Actors.Oci.Archives;

namespace Containerd.Actors.Oci.Images;

/// <summary>Source-generated JSON of the image model.</summary>
/// <remarks>Names are matched exactly, a name that occurs twice is refused, and nesting ends at 32 levels.</remarks>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = ImageDocuments.DepthMax)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(Index))]
[JsonSerializable(typeof(ImageConfig))]
[JsonSerializable(typeof(Descriptor))]
[JsonSerializable(typeof(Platform))]
[JsonSerializable(typeof(ImageLayout))]
[JsonSerializable(typeof(List<ArchivedImage>))]
public sealed partial class OciJson : JsonSerializerContext;
