// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Hosts;

namespace Containerd.Actors.Registry.Tests.Hosts;

public sealed class HostsDirectorySpecs : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hosts-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Directories_that_do_not_exist_leave_the_registry_itself() =>
        Assert.Equal("https://quay.io/v2", Assert.Single(HostsOf("quay.io/a/b:1", "/none/certs.d:/nor/this")).Endpoint.AbsoluteUri);

    [Theory]
    [InlineData("registry.example:5000")]
    [InlineData("registry.example_5000_")]
    [InlineData("_default")]
    public void The_directory_of_a_host_has_containerds_names(string name)
    {
        Write($"one/{name}/hosts.toml", "server = \"https://mirror.example\"");
        Assert.Equal("https://mirror.example/v2", Assert.Single(HostsOf("registry.example:5000/a:1", PathOf("one"))).Endpoint.AbsoluteUri);
    }

    [Fact]
    public void The_first_directory_of_a_list_that_has_the_host_is_taken()
    {
        Write("one/other.example/hosts.toml", "server = \"https://wrong.example\"");
        Write("two/quay.io/hosts.toml", "server = \"https://second.example\"");
        Write("three/quay.io/hosts.toml", "server = \"https://third.example\"");
        Assert.Equal(
            "https://second.example/v2",
            Assert.Single(HostsOf("quay.io/a:1", $"{PathOf("one")}:{PathOf("none")}:{PathOf("two")}:{PathOf("three")}")).Endpoint.AbsoluteUri);
    }

    [Fact]
    public void Without_a_hosts_toml_the_certificates_are_read_as_docker_does()
    {
        Write("docker/quay.io/ca.crt", "");
        Write("docker/quay.io/client.cert", "");
        Write("docker/quay.io/client.key", "");
        Write("docker/_default/hosts.toml", "server = \"https://wrong.example\"");
        RegistryHost host = Assert.Single(HostsOf("quay.io/a:1", PathOf("docker")));
        Assert.Equal("https://quay.io/v2", host.Endpoint.AbsoluteUri);
        Assert.Equal([PathOf("docker/quay.io/ca.crt")], host.AuthorityFiles);
        Assert.Equal([new(PathOf("docker/quay.io/client.cert"), PathOf("docker/quay.io/client.key"))], host.ClientCertificates);
    }

    [Fact]
    public void A_certificate_without_its_key_is_refused_by_name()
    {
        Write("docker/quay.io/client.cert", "");
        var refused = Assert.Throws<RefusedException>(() => HostsOf("quay.io/a:1", PathOf("docker")));
        Assert.StartsWith("missing key client.key for client certificate client.cert", refused.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<RegistryHost> HostsOf(string reference, string directories) => HostsDirectory.HostsOf(
        ImageReference.Parse(reference), new RegistrySettings { HostsDirectory = directories });

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllText(PathOf(name), text);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
