// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Hosts;

namespace Containerd.Actors.Registry.Tests.Hosts;

public sealed class HostsFileSpecs
{
    private static IReadOnlyList<RegistryHost> Parse(string text) =>
        HostsFile.Parse(text, "/certs/h/hosts.toml", HostsDirectory.Default("h", false));

    [Fact]
    public void Hosts_come_as_listed_and_the_server_last()
    {
        IReadOnlyList<RegistryHost> hosts = Parse("""
            server = "https://origin"
            [host."https://z.example"]
              capabilities = ["pull"]
              ca = ["a.pem", "/b.pem"]
              client = [["c.pem", "k.pem"], ["d.pem", ""]]
              skip_verify = true
              dial_timeout = "1m30s"
              [host."https://z.example".header]
                x-one = "1"
                x-two = ["2", "3"]
            [host."http://a.example:81/proxy"]
              override_path = true
            """);
        Assert.Equal(["https://z.example/v2", "http://a.example:81/proxy", "https://origin/v2"], hosts.Select(host => host.Endpoint.AbsoluteUri));
        Assert.Equal(HostCapabilities.Pull, hosts[0].Capabilities);
        Assert.Equal(["/certs/h/a.pem", "/b.pem"], hosts[0].AuthorityFiles);
        Assert.Equal([new("/certs/h/c.pem", "/certs/h/k.pem"), new("/certs/h/d.pem", null)], hosts[0].ClientCertificates);
        Assert.True(hosts[0].SkipsVerify);
        Assert.Equal(TimeSpan.FromSeconds(90), hosts[0].DialTimeout);
        Assert.Equal(3, hosts[0].Headers.Count);
        Assert.Equal(HostCapabilities.All, hosts[1].Capabilities);
    }

    [Fact]
    public void Capabilities_are_those_listed_and_the_server_has_its_own()
    {
        IReadOnlyList<RegistryHost> hosts = Parse("""
            capabilities = ["push"]
            [host."https://z.example"]
              capabilities = ["pull", "referrers"]
            """);
        Assert.Equal([HostCapabilities.Pull | HostCapabilities.Referrers, HostCapabilities.Push], hosts.Select(host => host.Capabilities));
    }

    [Theory]
    [InlineData("server = ")]
    [InlineData("server = \"ftp://h\"")]
    [InlineData("capabilities = [\"eat\"]")]
    [InlineData("ca = 1")]
    [InlineData("ca = [[\"a\"]]")]
    [InlineData("dial_timeout = \"soon\"")]
    [InlineData("[host.\"https://[\"]")]
    public void A_malformed_file_is_refused_by_name(string text) =>
        Assert.Contains("/certs/h/hosts.toml", Assert.Throws<RefusedException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("localhost", false, "http://localhost/v2", false)]
    [InlineData("127.0.0.2:5000", false, "https://127.0.0.2:5000/v2", true)]
    [InlineData("127.0.0.1:443", false, "https://127.0.0.1/v2", false)]
    [InlineData("[::1]:5000", false, "https://[::1]:5000/v2", true)]
    [InlineData("quay.io", false, "https://quay.io/v2", false)]
    [InlineData("quay.io", true, "http://quay.io/v2", false)]
    public void Without_a_file_only_this_machine_is_spoken_to_in_http(string host, bool isPlain, string endpoint, bool fallsBack)
    {
        RegistryHost made = HostsDirectory.Default(host, isPlain);
        Assert.Equal((endpoint, fallsBack), (made.Endpoint.AbsoluteUri, made.FallsBackToHttp));
    }
}
