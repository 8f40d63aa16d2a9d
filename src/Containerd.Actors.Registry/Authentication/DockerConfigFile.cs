// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Registry.Authentication;

/// <summary>The credentials in docker's <c>config.json</c>.</summary>
/// <remarks>Only <c>auths</c> is read: credential helpers are programs, and none is run. The file is read anew for each question.</remarks>
public sealed class DockerConfigFile(string path) : ICredentialStore
{
    private const long FileBytesMax = 1024 * 1024;

    /// <inheritdoc />
    public async ValueTask<Credentials?> FindAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                return null;
            }

            return file.Length > FileBytesMax
                ? throw new RefusedException(Error.Invalid($"{path} exceeds {FileBytesMax} bytes"))
                : Find(await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false), host);
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException)
        {
            // The parser's own text may quote the file, which holds secrets.
            throw new RefusedException(Error.Invalid($"failed to parse {path}"));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(Error.Unknown($"failed to read {path}: {failure.Message}"), failure);
        }
    }

    internal static Credentials? Find(ReadOnlyMemory<byte> json, string host)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        if (!document.RootElement.TryGetProperty("auths", out JsonElement auths) || auths.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        string[] names = host is "docker.io" or "registry-1.docker.io" or "index.docker.io"
            ? ["https://index.docker.io/v1/", "docker.io", "https://docker.io", "index.docker.io", "registry-1.docker.io"]
            : [host, "https://" + host, "http://" + host, $"https://{host}/v1/", $"https://{host}/v2/", $"https://{host}/"];
        foreach (string name in names)
        {
            if (auths.TryGetProperty(name, out JsonElement entry) && Read(entry) is { } credentials)
            {
                return credentials;
            }
        }

        return null;
    }

    private static Credentials? Read(JsonElement entry)
    {
        string Text(string key) => entry.TryGetProperty(key, out JsonElement value) ? value.GetString() ?? "" : "";
        (string username, string secret, string token) = (Text("username"), Text("password"), Text("identitytoken"));
        if (Text("auth") is { Length: > 0 } encoded)
        {
            string pair = Encoding.UTF8.GetString(Convert.FromBase64String(encoded)).TrimEnd('\0');
            int colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon >= 0)
            {
                (username, secret) = (pair[..colon], pair[(colon + 1)..]);
            }
        }

        return username.Length == 0 && token.Length == 0
            ? null
            : new Credentials { Username = username, Secret = secret, IdentityToken = token.Length > 0 ? token : null };
    }
}
