// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Containerd.Actors.Protocol.Errors;
using Containerd.Runtime.Bootstrap.V1;
using Google.Protobuf;

namespace Containerd.Actors.Shims.Starting;

/// <summary>How a shim is reached: what its <c>start</c> action answers.</summary>
/// <param name="Version">Of the task API: 2 or 3.</param>
/// <param name="Address"><c>unix:///path</c>, or without a scheme the name of a Linux abstract socket.</param>
/// <param name="Protocol"><see cref="Ttrpc"/>, or <see cref="Grpc"/>.</param>
public sealed record ShimAddress(int Version, string Address, string Protocol)
{
    /// <summary>The protocol of nearly all shims.</summary>
    public const string Ttrpc = "ttrpc";

    /// <summary>The protocol of some shims that are written without a ttrpc library; only with version 3 of the task API.</summary>
    public const string Grpc = "grpc";

    private const int VersionMax = 3;

    /// <summary>The end point as the sandbox API shows it, for example <c>ttrpc+unix:///run/containerd/s/…</c>.</summary>
    public string EndPoint => $"{Protocol}+{Address}";

    /// <summary>Reads an end point as the sandbox API shows it.</summary>
    /// <exception cref="RefusedException">The protocol is missing.</exception>
    public static ShimAddress FromEndPoint(string endPoint, int version)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        var plus = endPoint.IndexOf('+', StringComparison.Ordinal);
        return plus > 0
            ? new ShimAddress(version, endPoint[(plus + 1)..], ProtocolOf(endPoint[..plus]))
            : throw new RefusedException(Error.Unknown(
                "the scheme of sandbox address should be in the form of <protocol>+<unix|vsock|tcp>, i.e. ttrpc+unix or grpc+vsock"));
    }

    /// <summary>
    /// Reads an answer in any of its three forms: the message <c>BootstrapResult</c> (2.3 and later), JSON (2.0 to 2.2),
    /// or the bare address (before), which means version 2 over ttrpc.
    /// </summary>
    /// <exception cref="RefusedException">NotImplemented: a version after 3. Unknown: an empty answer.</exception>
    public static ShimAddress Parse(ReadOnlySpan<byte> answer)
    {
        var address = ParseMessage(answer) ?? ParseText(answer);
        return address.Version > VersionMax
            ? throw new RefusedException(Error.NotImplemented($"unsupported shim version ({address.Version})"))
            : address;
    }

    /// <summary>The JSON that is kept in the bundle.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(
        new BootstrapJson { Version = Version, Address = Address, Protocol = Protocol }, BootstrapJsonContext.Default.BootstrapJson);

    private static ShimAddress? ParseMessage(ReadOnlySpan<byte> answer)
    {
        try
        {
            var result = BootstrapResult.Parser.ParseFrom(answer);
            return result is { Version: > 0, Address.Length: > 0 }
                ? new ShimAddress(result.Version, result.Address, ProtocolOf(result.Protocol))
                : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static ShimAddress ParseText(ReadOnlySpan<byte> answer)
    {
        var text = Encoding.UTF8.GetString(answer).Trim();
        if (text.Length == 0)
        {
            throw new RefusedException(Error.Unknown("shim answered without an address"));
        }

        try
        {
            var json = JsonSerializer.Deserialize(text, BootstrapJsonContext.Default.BootstrapJson);
            if (json is { Version: >= 2, Address: { Length: > 0 } address })
            {
                return new ShimAddress(json.Version, address, ProtocolOf(json.Protocol));
            }
        }
        catch (JsonException)
        {
            // Not JSON: the whole answer is the address.
        }

        return new ShimAddress(2, text, Ttrpc);
    }

    private static string ProtocolOf(string? protocol) => string.IsNullOrEmpty(protocol) ? Ttrpc : protocol.ToLowerInvariant();
}

/// <summary><c>bootstrap.json</c>.</summary>
internal sealed class BootstrapJson
{
    [JsonPropertyName("version")]
    public int Version { get; set; }

    [JsonPropertyName("address")]
    public string? Address { get; set; }

    [JsonPropertyName("protocol")]
    public string? Protocol { get; set; }
}

[JsonSerializable(typeof(BootstrapJson))]
internal sealed partial class BootstrapJsonContext : JsonSerializerContext;
