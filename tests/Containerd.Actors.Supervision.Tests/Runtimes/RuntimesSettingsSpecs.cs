// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;
using Containerd.Actors.Protocol.Runtimes;
using Containerd.Actors.Supervision.Runtimes;
using Containerd.Runc.V1;

namespace Containerd.Actors.Supervision.Tests.Runtimes;

public sealed class RuntimesSettingsSpecs
{
    private static readonly Config Reference = ConfigurationFactory.ParseString(File.ReadAllText("reference/runtimes.conf"));

    [Fact]
    public void The_reference_has_a_handler_for_each_oci_runtime_and_prefers_crun()
    {
        RuntimesSettings settings = RuntimesSettings.From(Reference);
        Assert.Equal(["crun", "runc"], settings.Handlers.Select(handler => handler.Name).Order());
        Assert.All(settings.Handlers, handler => Assert.Equal(handler.Name, OptionsOf(handler).BinaryName));
        Assert.Equal("crun,runc", string.Join(',', settings.Candidates));
    }

    [Fact]
    public void Handlers_are_added_and_changed_by_name()
    {
        RuntimesSettings settings = RuntimesSettings.From(ConfigurationFactory.ParseString("""
            containerd.runtimes {
              runc.options.systemd-cgroup = true
              kata {
                type = "io.containerd.kata.v2"
                path = "/opt/kata/bin/containerd-shim-kata-v2"
                snapshotter = "native"
                sandboxer = "shim"
                options { config-path = "/etc/kata.toml", config-type = "kata" }
              }
            }
            """).WithFallback(Reference));
        RuntimeHandler kata = settings.Handlers.Single(handler => handler.Name == "kata");
        Assert.Equal(("/opt/kata/bin/containerd-shim-kata-v2", "native", "shim"), (kata.Path, kata.Snapshotter, kata.Sandboxer));
        Containerd.RuntimeOptions.V1.Options options = Containerd.RuntimeOptions.V1.Options.Parser.ParseFrom(kata.Options!.Value.Span);
        Assert.Equal(("/etc/kata.toml", "kata"), (options.ConfigPath, options.TypeUrl));
        RuntimeHandler runc = settings.Handlers.Single(handler => handler.Name == "runc");
        Assert.Equal((true, "runc"), (OptionsOf(runc).SystemdCgroup, OptionsOf(runc).BinaryName));
    }

    [Theory]
    [InlineData("kata { path = \"/x\" }", "containerd.runtimes.kata.type is missing")]
    [InlineData("kata { type = t, path = x }", "containerd.runtimes.kata.path: \"x\" is not absolute")]
    [InlineData("kata { type = t, sandboxer = vm }", "containerd.runtimes.kata.sandboxer: \"vm\" is neither podsandbox nor shim")]
    [InlineData("\"a.b\" { type = t }", "containerd.runtimes: \"a.b\" is a dotted name or a path, and a runtime by itself")]
    public void What_makes_no_sense_is_refused_with_its_key(string handler, string text)
    {
        Config config = ConfigurationFactory.ParseString($"containerd.runtimes {{ {handler} }}").WithFallback(Reference);
        Assert.Equal(text, Assert.Throws<ConfigurationException>(() => RuntimesSettings.From(config)).Message);
    }

    [Fact]
    public void The_reference_serves_runc_by_the_shim_of_this_project_and_one_key_has_containerds_back()
    {
        Assert.Equal("containerd-shim-actors-v1", RuntimesSettings.From(Reference).Instead["runc-v2"]);
        RuntimesSettings settings = RuntimesSettings.From(
            ConfigurationFactory.ParseString("containerd.shims.instead { runc-v2 = \"\", kata-v2 = /opt/kata }").WithFallback(Reference));
        Assert.Equal(("", "/opt/kata"), (settings.Instead["runc-v2"], settings.Instead["kata-v2"]));
    }

    [Theory]
    [InlineData("waiting = 65", "containerd.shims.waiting must lie between 0 and 64")]
    [InlineData("waiting = -1", "containerd.shims.waiting must lie between 0 and 64")]
    [InlineData("instead.runc-v2 = a/b", "containerd.shims.instead.runc-v2: \"a/b\" is neither a name nor an absolute path")]
    public void Shims_that_make_no_sense_are_refused_with_their_key(string keys, string text)
    {
        Config config = ConfigurationFactory.ParseString($"containerd.shims {{ {keys} }}").WithFallback(Reference);
        Assert.Equal(text, Assert.Throws<ConfigurationException>(() => RuntimesSettings.From(config)).Message);
    }

    private static Options OptionsOf(RuntimeHandler handler) => Options.Parser.ParseFrom(handler.Options!.Value.Span);
}
