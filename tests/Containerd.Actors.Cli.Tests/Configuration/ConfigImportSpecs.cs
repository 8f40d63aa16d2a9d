// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;
using Containerd.Actors.Cli.Configuration;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Cli.Tests.Configuration;

public sealed class ConfigImportSpecs : IDisposable
{
    private const string Everything = """
        version = 2
        root = "/data/containerd"
        state = "/run/data/containerd/"
        [grpc]
          address = "/run/containerd/containerd.sock"
          uid = 5
          gid = 6
          max_recv_message_size = 33554432
        [debug]
          level = "debug"
        [timeouts]
          "io.containerd.timeout.shim.load" = "7s"
          "io.containerd.timeout.shim.cleanup" = "1m30s"
          "io.containerd.timeout.task.state" = "2500ms"
        [plugins."io.containerd.gc.v1.scheduler"]
          pause_threshold = 0.5
          deletion_threshold = 3
          mutation_threshold = 44
          schedule_delay = "1s"
          startup_delay = "250ms"
        [plugins."io.containerd.grpc.v1.cri"]
          max_concurrent_downloads = 9
          [plugins."io.containerd.grpc.v1.cri".registry]
            config_path = "/etc/certs \"quoted\""
        """;

    private readonly ConfigurationFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_has_a_counterpart_is_carried_over_and_the_daemon_reads_it()
    {
        Config config = Accepted(_folder.Import(Everything));

        var daemon = DaemonSettings.From(config);
        Assert.Equal(
            ("/data/containerd-actors", "/run/data/containerd-actors", "/run/containerd/containerd.sock", 5u, 6u, 32 << 20),
            (daemon.Root, daemon.State, daemon.Address, daemon.Uid, daemon.Gid, daemon.MessageSizeMax));
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Debug, daemon.LogLevel);
        var pulls = PullSettings.From(config);
        Assert.Equal((9, "/etc/certs \"quoted\""), (pulls.LayersMax, pulls.Registry.HostsDirectory));
        Assert.Equal(
            (0.5, 3, 44, TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(250)),
            (config.GetDouble("containerd.garbage-collection.pause-threshold"), config.GetInt("containerd.garbage-collection.deletion-threshold"),
                config.GetInt("containerd.garbage-collection.mutation-threshold"), config.GetTimeSpan("containerd.garbage-collection.schedule-delay"),
                config.GetTimeSpan("containerd.garbage-collection.startup-delay")));
        Assert.Equal(
            (TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(90), TimeSpan.FromMilliseconds(2500)),
            (config.GetTimeSpan("containerd.containers.shim.connect-timeout"), config.GetTimeSpan("containerd.containers.shim.clean-up-timeout"),
                config.GetTimeSpan("containerd.containers.shim.query-timeout")));
    }

    [Theory]
    [InlineData("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/c\"", "/c")]
    [InlineData("version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/c'", "/c")]
    [InlineData("version = 3\nplugins.'io.containerd.cri.v1.images'.registry.config_path = '/c'", "/c")]
    [InlineData("version = 3\nplugins = { 'io.containerd.cri.v1.images' = { registry = { config_path = '/c' } } }", "/c")]
    [InlineData("version = 4\n[plugins.'io.containerd.transfer.v1.local']\nconfig_path = '/c'", "/c")]
    public void Plugins_are_known_by_their_old_and_new_names(string toml, string hosts) =>
        Assert.Equal(hosts, PullSettings.From(Accepted(_folder.Import(toml))).Registry.HostsDirectory);

    [Fact]
    public void Image_verifiers_are_carried_over()
    {
        Config config = Accepted(_folder.Import(
            "version = 3\n[plugins.'io.containerd.image-verifier.v1.bindir']\nbin_dir = '/v'\nmax_verifiers = 3\nper_verifier_timeout = '2s'"));
        Assert.Equal(
            ("/v", 3, TimeSpan.FromSeconds(2)),
            (config.GetString("containerd.pulls.verifiers.directory"), config.GetInt("containerd.pulls.verifiers.verifiers-max"),
                config.GetTimeSpan("containerd.pulls.verifiers.time-limit")));
    }

    [Fact]
    public void Who_may_see_content_is_carried_over() => Assert.Equal(
        "isolated",
        Accepted(_folder.Import("version = 2\n[plugins.\"io.containerd.metadata.v1.bolt\"]\ncontent_sharing_policy = \"isolated\""))
            .GetString("containerd.content.sharing-policy"));

    [Theory]
    [InlineData("version = 3\n[grpc]\naddress = '/run/x.sock'")]
    [InlineData("version = 4\n[plugins.'io.containerd.server.v1.grpc']\naddress = '/run/x.sock'")]
    public void The_listener_is_found_where_each_version_has_it(string toml) =>
        Assert.Equal("/run/x.sock", DaemonSettings.From(Accepted(_folder.Import(toml))).Address);

    [Fact]
    public void What_has_no_counterpart_is_named_with_its_place_and_the_reason()
    {
        Translation translation = _folder.Import("""
            version = 3
            oom_score = -999
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.native"]
            [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
              SystemdCgroup = true
            [plugins."com.example.v1.mine"]
              key = "value"
            [nonsense]
              key = 1
            """);
        string file = _folder.PathOf("config.toml");
        Assert.Equal(
            [
                $"{file}:2: oom_score: set OOMScoreAdjust= in the unit of the service",
                $"{file}:3: disabled_plugins: parts cannot be switched off: io.containerd.snapshotter.v1.native",
                $"{file}:5: plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.runc.options.SystemdCgroup: the CRI is not served; other clients name runtime and options themselves",
                $"{file}:7: plugins.\"com.example.v1.mine\".key: there is no such plugin",
                $"{file}:9: nonsense.key: containerd has no such setting",
            ],
            translation.Remarks.Select(remark => remark.Line));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Plugins_in_other_processes_are_carried_over_and_the_daemon_reads_them(int version)
    {
        Translation translation = _folder.Import($$"""
            version = {{version}}
            disabled_plugins = ["io.containerd.content.v1.content"]
            [proxy_plugins.soci]
              type = "snapshot"
              address = "unix:///run/soci.sock"
              platform = "linux/arm64"
              capabilities = ["rebase"]
              [proxy_plugins.soci.exports]
                root = "/var/lib/soci"
            [proxy_plugins."my.differ"]
              type = "diff"
              address = "/run/differ.sock"
            [proxy_plugins.far]
              type = "content"
              address = "/run/far.sock"
            """);
        PluginSettings plugins = PluginSettings.From(Accepted(translation));
        ProxyPlugin soci = Assert.Single(plugins.Proxies, plugin => plugin.Name == "soci");
        Assert.Equal((ProxyKind.Snapshotter, "/run/soci.sock", "linux/arm64", "rebase", "/var/lib/soci"),
            (soci.Kind, soci.Address, Assert.Single(soci.Platforms), Assert.Single(soci.Capabilities), soci.Exports["root"]));
        Assert.Equal(ProxyKind.Differ, Assert.Single(plugins.Proxies, plugin => plugin.Name == "my.differ").Kind);
        Assert.Equal(ProxyKind.Content, Assert.Single(plugins.Proxies, plugin => plugin.Name == "far").Kind);
        Assert.EndsWith("proxy_plugins.far.type: it takes the place of the daemon's own content store", Assert.Single(translation.Remarks).Line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("type = 'sandbox'\naddress = '/p'", "plugins of type sandbox are not served")]
    [InlineData("address = '/p'", "a plugin without a type is none")]
    [InlineData("type = 'snapshot'\naddress = 'tcp://x:1'", "the address must be the path of a unix socket")]
    public void A_plugin_that_cannot_be_served_is_named_once_and_left_out(string keys, string reason)
    {
        Translation translation = _folder.Import($"version = 3\n[proxy_plugins.x]\n{keys}");
        Assert.Empty(translation.Lines);
        Assert.EndsWith(reason, Assert.Single(translation.Remarks).Line, StringComparison.Ordinal);
    }

    [Fact]
    public void The_second_content_store_is_left_out()
    {
        Translation translation = _folder.Import(
            "version = 3\n[proxy_plugins.a]\ntype = 'content'\naddress = '/a'\n[proxy_plugins.b]\ntype = 'content'\naddress = '/b'");
        Assert.Equal("a", Assert.Single(PluginSettings.From(Accepted(translation)).Proxies).Name);
        Assert.Contains(translation.Remarks, remark => remark.Line.EndsWith("proxy_plugins.b.type: there is one content store", StringComparison.Ordinal));
    }

    [Fact]
    public void Stream_processors_are_carried_over_and_the_daemon_reads_them()
    {
        Translation translation = _folder.Import("""
            version = 2
            [stream_processors."io.containerd.ocicrypt.decoder.v1.tar.gzip"]
              accepts = ["application/vnd.oci.image.layer.v1.tar+gzip+encrypted"]
              returns = "application/vnd.oci.image.layer.v1.tar+gzip"
              path = "/usr/local/bin/ctd-decoder"
              args = ["--decryption-keys-path", "/keys \"quoted\""]
              env = ["A=b"]
            [stream_processors.relative]
              accepts = ["x"]
              returns = "y"
              path = "program"
            """);
        var processor = Assert.Single(PluginSettings.From(Accepted(translation)).Processors);
        Assert.Equal(
            ("io.containerd.ocicrypt.decoder.v1.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip", "/usr/local/bin/ctd-decoder", "/keys \"quoted\"", "A=b"),
            (processor.Name, processor.Returns, processor.Path, processor.Arguments[1], Assert.Single(processor.Environment)));
        Assert.EndsWith("must be absolute: it is not looked for in PATH", Assert.Single(translation.Remarks).Line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_is_not_repeated()
    {
        Translation translation = _folder.Import("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"example.com\".auth]\npassword = \"hunter2\"");
        Assert.Contains("hosts.toml", Assert.Single(translation.Remarks).Line, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", translation.Remarks[0].Line + translation.ToHocon("x"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_says_the_default_needs_no_counterpart_and_no_remark()
    {
        Translation translation = _folder.Import("""
            version = 3
            root = '/var/lib/containerd'
            temp = ''
            [plugins.'io.containerd.cri.v1.runtime']
              selinux_category_range = 1024
              disable_apparmor = false
              cdi_spec_dirs = ['/etc/cdi', '/var/run/cdi']
            [plugins.'io.containerd.internal.v1.tracing']
            [stream_processors.'io.containerd.ocicrypt.decoder.v1.tar']
              path = 'ctd-decoder'
            """);
        Assert.Empty(translation.Lines);
        Assert.Empty(translation.Remarks);
    }

    [Fact]
    public void Two_settings_for_one_key_are_told_of_when_they_differ()
    {
        Translation translation = _folder.Import("version = 3\n[grpc]\nmax_recv_message_size = 33554432\nmax_send_message_size = 8388608");
        Assert.Equal("33554432", Assert.Single(translation.Lines).Value);
        Assert.Contains("grpc.max_recv_message_size set it already", Assert.Single(translation.Remarks).Line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version = 3\nroot = ", 2)]
    [InlineData("version = 3\n\n[grpc\nuid = 0", 3)]
    [InlineData("version = 3\na = 1\na = 2", 3)]
    [InlineData("version = 3\n[grpc]\nuid = \"root\"", 3)]
    [InlineData("version = 3\n\nroot = 5", 3)]
    [InlineData("version = 3\n[timeouts]\n\"io.containerd.timeout.shim.load\" = \"soon\"", 3)]
    [InlineData("version = 3\nroot = \"/a\\u0007b\"", 2)]
    [InlineData("version = \"3\"", 1)]
    [InlineData("\nversion = 1", 2)]
    [InlineData("\nversion = 5", 2)]
    [InlineData("version = 3\nimports = \"x\"", 2)]
    public void What_cannot_be_read_is_refused_with_its_line(string toml, int line)
    {
        var refused = Assert.Throws<CliFailure>(() => _folder.Import(toml));
        Assert.StartsWith($"cactl: {_folder.PathOf("config.toml")}:{line}:", refused.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_a_version_is_of_version_1_and_refused()
    {
        var refused = Assert.Throws<CliFailure>(() => _folder.Import("root = \"/x\""));
        Assert.Contains("version 1 is not read", refused.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_beyond_our_bounds_is_told_of_and_left_out()
    {
        Translation translation = _folder.Import($"version = 3\n[grpc]\naddress = \"/{new string('a', 120)}\"\nuid = -1");
        Assert.Empty(translation.Lines);
        Assert.Equal(2, translation.Remarks.Count);
    }

    private Config Accepted(Translation translation) => Hocon.Load(
        new CommandLine(null, null, null, _folder.Write("imported.hocon", translation.ToHocon("config.toml")), null));
}
