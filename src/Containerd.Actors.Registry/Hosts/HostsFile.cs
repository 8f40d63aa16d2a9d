// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Registry.Hosts;

/// <summary>Reads a hosts.toml file into the places to ask, first to last: its hosts as listed, then its server.</summary>
/// <remarks>containerd's docs/hosts.md. Keys that mean nothing to a puller are passed over, as containerd does.</remarks>
internal static class HostsFile
{
    private const int HostsMax = 64;

    /// <summary>Reads the text of a file.</summary>
    /// <param name="text">The TOML.</param>
    /// <param name="file">Its path: for messages, and relative paths in it start in its directory.</param>
    /// <param name="server">Where the registry is when the file has no <c>server</c>.</param>
    /// <exception cref="RefusedException">The file is malformed.</exception>
    public static IReadOnlyList<RegistryHost> Parse(string text, string file, RegistryHost server)
    {
        TomlTree tree = TomlTree.Parse(text, file);
        var hosts = new List<RegistryHost>();
        if (tree["host"] is TomlTree tables)
        {
            foreach ((string name, object table) in tables.Items)
            {
                if (table is TomlTree keys)
                {
                    hosts.Add(Read(keys, new Uri(Endpoint(name, IsTrue(keys, "override_path"), file)), file));
                }
            }
        }

        if (hosts.Count > HostsMax)
        {
            throw new RefusedException(Error.Invalid($"{file}: more than {HostsMax} hosts"));
        }

        // An empty server means that the hosts are all there is.
        if (tree["server"] is not string address)
        {
            RegistryHost last = Read(tree, server.Endpoint, file);
            hosts.Add(last with { FallsBackToHttp = server.FallsBackToHttp });
        }
        else if (address.Length > 0)
        {
            hosts.Add(Read(tree, new Uri(Endpoint(address, IsTrue(tree, "override_path"), file)), file));
        }

        return hosts;
    }

    private static RegistryHost Read(TomlTree keys, Uri endpoint, string file) => new()
    {
        Endpoint = endpoint,
        Capabilities = keys["capabilities"] is List<object> words ? Capabilities(words, file) : HostCapabilities.All,
        SkipsVerify = IsTrue(keys, "skip_verify"),
        AuthorityFiles = [.. Strings(keys["ca"], "ca", file).Select(path => Resolve(path, file))],
        ClientCertificates = Clients(keys["client"], file),
        Headers = Headers(keys["header"], file),
        DialTimeout = keys["dial_timeout"] is string text
            ? GoDuration.Parse(text) ?? throw Invalid(file, $"invalid dial_timeout \"{text}\"")
            : null,
    };

    private static string Endpoint(string address, bool keepsPath, string file)
    {
        string absolute = address.Contains("://", StringComparison.Ordinal)
            ? address
            : (HostsDirectory.IsLocalhost(address.Split('/')[0]) ? "http://" : "https://") + address;
        if (!Uri.TryCreate(absolute, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
        {
            throw Invalid(file, $"unable to parse server \"{address}\"");
        }

        string path = uri.AbsolutePath.TrimEnd('/');
        if (!keepsPath && !path.EndsWith("/v2", StringComparison.Ordinal))
        {
            path += "/v2";
        }

        return $"{uri.Scheme}://{uri.Authority}{path}";
    }

    private static HostCapabilities Capabilities(List<object> words, string file) =>
        words.Aggregate(HostCapabilities.None, (all, word) => all | word switch
        {
            "pull" => HostCapabilities.Pull,
            "resolve" => HostCapabilities.Resolve,
            "push" => HostCapabilities.Push,
            "referrers" => HostCapabilities.Referrers,
            _ => throw Invalid(file, $"unknown capability {word}"),
        });

    private static List<ClientCertificateFiles> Clients(object? value, string file)
    {
        var clients = new List<ClientCertificateFiles>();
        foreach (object entry in value as List<object> ?? (value is null ? [] : [value]))
        {
            clients.Add(entry switch
            {
                string one => new(Resolve(one, file), null),
                List<object> and [string certificate] => new(Resolve(certificate, file), null),
                List<object> and [string certificate, ""] => new(Resolve(certificate, file), null),
                List<object> and [string certificate, string key] => new(Resolve(certificate, file), Resolve(key, file)),
                _ => throw Invalid(file, "invalid type for client"),
            });
        }

        return clients;
    }

    private static List<KeyValuePair<string, string>> Headers(object? value, string file) => value is TomlTree table
        ? [.. table.Items.SelectMany(item =>
            Strings(item.Value, "header", file).Select(text => new KeyValuePair<string, string>(item.Key, text)))]
        : [];

    private static IEnumerable<string> Strings(object? value, string key, string file) => value switch
    {
        null => [],
        string one => [one],
        List<object> many when many.TrueForAll(item => item is string) => many.Cast<string>(),
        _ => throw Invalid(file, $"invalid type for {key}"),
    };

    private static bool IsTrue(TomlTree keys, string key) => keys[key] is true;

    private static string Resolve(string path, string file) =>
        Path.IsPathRooted(path) ? path : Path.Combine(Path.GetDirectoryName(file) ?? "", path);

    private static RefusedException Invalid(string file, string what) => new(Error.Invalid($"failed to parse {file}: {what}"));
}
