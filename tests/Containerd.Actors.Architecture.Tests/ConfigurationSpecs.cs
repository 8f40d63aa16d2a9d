// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using Akka.Configuration;
using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Architecture.Tests;

public sealed partial class ConfigurationSpecs
{
    public static TheoryData<string> References => new(Repository.Files(Path.Combine("hocon", "reference"), ".conf"));

    [Theory]
    [MemberData(nameof(References))]
    public void Every_key_or_run_of_keys_has_a_comment_directly_above_it(string file)
    {
        string[] lines = [.. Repository.Lines(file).Select(line => line.Trim())];
        for (int i = 0; i < lines.Length; i++)
        {
            if (Key().IsMatch(lines[i]))
            {
                bool isExplained = i > 0 && (lines[i - 1].StartsWith('#') || Key().IsMatch(lines[i - 1]));
                Assert.True(isExplained, $"{file}:{i + 1}: \"{lines[i]}\" has no comment directly above it");
            }
        }
    }

    [Theory]
    [MemberData(nameof(References))]
    public void Every_reference_is_in_the_daemon(string file)
    {
        Config written = ConfigurationFactory.ParseString(string.Join('\n', Repository.Lines(file)));
        Assert.Empty(Hocon.UnknownKeys(written, Hocon.Reference()));
        Assert.False(written.IsEmpty);
    }

    [Fact]
    public void The_reference_has_a_value_for_what_every_part_reads()
    {
        Config reference = Hocon.Reference();
        foreach (string part in new[] { "address", "root", "state", "containers", "executor", "garbage-collection", "namespaces", "grpc", "events" })
        {
            Assert.True(reference.HasPath($"containerd.{part}"), part);
        }

        Assert.True(reference.HasPath("akka.persistence.journal.containerd"));
    }

    [Fact]
    public void The_hosts_that_containerd_and_docker_were_told_of_are_known_without_being_told_again() => Assert.Equal(
        "/etc/containerd/certs.d:/etc/docker/certs.d",
        PullSettings.From(Hocon.Reference()).Registry.HostsDirectory);

    [Fact]
    public void Unknown_keys_are_refused_by_name()
    {
        Config config = ConfigurationFactory.ParseString("containerd { root = /r, executor.mount.lane = 3, nonsense = 1 }");
        Assert.Equal(
            ["containerd.executor.mount.lane", "containerd.nonsense"],
            Hocon.UnknownKeys(config, Hocon.Reference()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Entries_that_the_operator_names_have_known_keys_too()
    {
        Config config = ConfigurationFactory.ParseString(
            """
            containerd.proxy-plugins { "a.b" { type = snapshot, address = "/p", addres = "/p", exports { root = "/r" } } }
            containerd.stream-processors { x { path = "/x", arguments = [] } }
            """);
        Assert.Equal(
            ["containerd.proxy-plugins.a.b.addres", "containerd.stream-processors.x.arguments"],
            Hocon.UnknownKeys(config, Hocon.Reference()).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("proxy-plugins.x { type = sandbox, address = \"/p\" }", "type: plugins of type sandbox are not served; snapshot, diff and content are")]
    [InlineData("proxy-plugins { x { type = content, address = \"/p\" } y { type = content, address = \"/q\" } }", "x and y are both of type content; there is one content store")]
    [InlineData("proxy-plugins.x { type = snapshot, address = \"p\" }", "address: \"p\" is not the absolute path of a unix socket")]
    [InlineData("proxy-plugins.overlayfs { type = snapshot, address = \"/p\" }", "overlayfs is what the daemon has itself")]
    [InlineData("diff.order = [walking, other]", "\"other\" is neither walking nor a plugin of type diff")]
    [InlineData("stream-processors.x { accepts = [a], returns = b, path = c }", "path: \"c\" is not an absolute path")]
    public void A_plugin_that_cannot_be_served_is_refused_by_its_key(string text, string reason)
    {
        Config config = ConfigurationFactory.ParseString($"containerd.{text}").WithFallback(Hocon.Reference());
        Assert.Contains(reason, Assert.Throws<ConfigurationException>(() => PluginSettings.From(config)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_that_nobody_reads_are_refused_by_name() => Assert.Equal(
        ["contanerd", "containerd.nonsense"],
        Hocon.UnknownKeys(
            ConfigurationFactory.ParseString("contanerd.root = /r\nakka.loglevel = DEBUG\ncontainerd.nonsense = 1"), Hocon.Reference()));

    [Fact]
    public void Runtimes_may_have_any_name_and_no_other_keys_than_those_of_the_reference() => Assert.Equal(
        ["containerd.runtimes.kata.shim", "containerd.runtimes.kata.options.binary"],
        Hocon.UnknownKeys(
            ConfigurationFactory.ParseString("""
                containerd.runtimes.kata {
                  type = io.containerd.kata.v2
                  shim = /opt/kata
                  options { config-path = /etc/kata.toml, binary = x }
                }
                """),
            Hocon.Reference()));

    [GeneratedRegex(@"^[a-z][\w.-]*\s*=")]
    private static partial Regex Key();
}
