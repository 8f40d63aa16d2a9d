// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Fuzzing;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Hosts;

namespace Containerd.Actors.Registry.Tests.Hosts;

/// <summary>Whatever stands in a hosts.toml, it names hosts or is refused by its name.</summary>
public sealed class HostsFileFuzzSpecs
{
    private static readonly string[] Samples =
    [
        "server = \"https://origin\"\n[host.\"https://a.example:81/p\"]\n  capabilities = [\"pull\", \"resolve\"]\n  skip_verify = true\n",
        "[host.\"http://b\"]\n  ca = [\"a.pem\"]\n  client = [[\"c.pem\", \"k.pem\"], [\"d.pem\", \"\"]]\n  dial_timeout = \"1m30s\"\n  [host.\"http://b\".header]\n    x = [\"1\", \"2\"]\n",
        "override_path = true\nca = \"/x.pem\"\nclient = \"/y.pem\"\n",
    ];

    private static readonly string[] Tokens =
    [
        "[", "]", "[[", "]]", "\"", "'", "\"\"\"", "=", ".", "\n", "#", "{", "}", ",", "host", "server", "1e999", "0x", "1979-05-27T07:32:00Z", "\\u0000", "http://", "://",
        "[host.\"\"]\n", "dial_timeout = \"99999999999h\"\n", "capabilities = [1]\n", "\r", "\0",
    ];

    [Fact]
    public Task A_file_names_hosts_or_is_refused() => Fuzz.RunAsync(5_000, [], random =>
    {
        string text = Fuzz.Text(random, Samples, Tokens);
        try
        {
            IReadOnlyList<RegistryHost> hosts = HostsFile.Parse(text, "/certs/h/hosts.toml", HostsDirectory.Default("h", false));
            Assert.All(hosts, host => Assert.True(host.Endpoint.Scheme is "http" or "https", host.Endpoint.ToString()));
        }
        catch (RefusedException refused)
        {
            Assert.Contains("/certs/h/hosts.toml", refused.Message, StringComparison.Ordinal);
        }
    });
}
