// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Registry.Hosts;

/// <summary>Finds the places that serve a registry: those of its hosts.toml, or the registry itself.</summary>
/// <remarks>
/// Looked for in <c>HOST_PORT_</c>, <c>HOST:PORT</c> (or <c>HOST</c> when there is no port), then in <c>_default</c>, of each directory of
/// a list with colons between; the first that exists is taken. A directory of a host without a hosts.toml is in docker's form: <c>*.crt</c> are authorities, each <c>*.cert</c> with the <c>*.key</c> beside it a client.
/// </remarks>
public static class HostsDirectory
{
    private const long FileBytesMax = 1024 * 1024;

    /// <summary>The places to ask for an image, in order.</summary>
    /// <exception cref="RefusedException">A hosts.toml is malformed or cannot be read.</exception>
    public static IReadOnlyList<RegistryHost> HostsOf(ImageReference reference, RegistrySettings settings)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(settings);
        IReadOnlyList<RegistryHost> hosts = Configured(reference, settings);
        return settings.Headers.Count == 0 ? hosts : [.. hosts.Select(host => host with { Headers = [.. host.Headers, .. settings.Headers] })];
    }

    private static IReadOnlyList<RegistryHost> Configured(ImageReference reference, RegistrySettings settings)
    {
        RegistryHost server = Default(reference.RegistryHost, settings.IsPlainHttp);
        if (settings.IsHttpsOnly)
        {
            server = server with { Endpoint = new Uri($"https://{reference.RegistryHost}/v2"), FallsBackToHttp = false };
        }

        if (settings.HostsDirectory is null || Find(settings.HostsDirectory, reference.Host) is not { } directory)
        {
            return [server];
        }

        string file = Path.Combine(directory, "hosts.toml");
        try
        {
            if (!File.Exists(file))
            {
                return [WithCertificates(server, directory)];
            }

            if (new FileInfo(file).Length > FileBytesMax)
            {
                throw new RefusedException(Error.Invalid($"{file} exceeds {FileBytesMax} bytes"));
            }

            return HostsFile.Parse(File.ReadAllText(file), file, server);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(Error.Unknown($"failed to read {file}: {failure.Message}"), failure);
        }
    }

    /// <summary>The registry itself: https, but http where asked for, and http on this machine when TLS is not spoken there.</summary>
    internal static RegistryHost Default(string host, bool isPlainHttp)
    {
        bool isLocal = IsLocalhost(host);
        string port = PortOf(host);
        bool isHttp = isPlainHttp || (isLocal && port is ("" or "80"));
        return new RegistryHost
        {
            Endpoint = new Uri($"{(isHttp ? "http" : "https")}://{host}/v2"),
            FallsBackToHttp = isLocal && !isHttp && port != "443",
        };
    }

    /// <summary>True for <c>localhost</c>, 127.0.0.0/8 and <c>::1</c>, with or without a port.</summary>
    internal static bool IsLocalhost(string host)
    {
        string name = host.StartsWith('[') ? host[1..Math.Max(1, host.IndexOf(']', StringComparison.Ordinal))] : host.Split(':')[0];
        return name == "localhost" || (System.Net.IPAddress.TryParse(name, out System.Net.IPAddress? address) && System.Net.IPAddress.IsLoopback(address));
    }

    private static string PortOf(string host)
    {
        int colon = host.LastIndexOf(':');
        return colon < 0 || host.EndsWith(']') ? "" : host[(colon + 1)..];
    }

    private static string? Find(string directories, string host)
    {
        string port = PortOf(host);
        string[] names = port.Length == 0
            ? [host, "_default"]
            : [$"{host[..^(port.Length + 1)]}_{port}_", host, "_default"];
        return directories.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(directory => names.Select(name => Path.Combine(directory, name)))
            .FirstOrDefault(Directory.Exists);
    }

    private static RegistryHost WithCertificates(RegistryHost server, string directory)
    {
        string[] files = [.. Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal)];
        var clients = new List<ClientCertificateFiles>();
        foreach (string certificate in files.Where(file => file.EndsWith(".cert", StringComparison.Ordinal)))
        {
            string key = Path.ChangeExtension(certificate, ".key");
            clients.Add(files.Contains(key)
                ? new ClientCertificateFiles(certificate, key)
                : throw new RefusedException(Error.Invalid($"missing key {Path.GetFileName(key)} for client certificate {Path.GetFileName(certificate)}. "
                    + "Note that CA certificates must use the extension .crt")));
        }

        return server with
        {
            AuthorityFiles = [.. files.Where(file => file.EndsWith(".crt", StringComparison.Ordinal))],
            ClientCertificates = clients,
        };
    }
}
