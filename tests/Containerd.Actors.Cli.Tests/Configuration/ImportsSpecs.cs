// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Configuration;
using Containerd.Actors.Cli.Errors;

namespace Containerd.Actors.Cli.Tests.Configuration;

public sealed class ImportsSpecs : IDisposable
{
    private readonly ConfigurationFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Later_files_win_and_the_daemons_lists_grow()
    {
        _folder.Write("one.toml", "version = 3\nroot = \"/second\"\nstate = \"\"\nrequired_plugins = [\"b\", \"c\"]\n[grpc]\nuid = 0\ngid = 8");
        ConfigurationFile file = Read("version = 3\nroot = \"/first\"\nstate = \"/s\"\nrequired_plugins = [\"a\", \"b\"]\nimports = [\"one.toml\"]\n[grpc]\nuid = 7\ngid = 7");
        Assert.Equal("\"/second\"", Value(file, "root"));
        Assert.Equal("\"/s\"", Value(file, "state"));
        Assert.Equal("[\"a\", \"b\", \"c\"]", Value(file, "required_plugins"));
        Assert.Equal("8", Value(file, "plugins.\"io.containerd.server.v1.grpc\".gid"));
    }

    [Fact]
    public void A_plugins_setting_is_replaced_by_what_a_later_file_says_of_it_even_if_that_is_nothing()
    {
        _folder.Write("one.toml", "version = 3\n[plugins.'io.containerd.cri.v1.runtime']\nenable_cdi = false\ncdi_spec_dirs = [\"/b\", \"/c\"]");
        ConfigurationFile file = Read("version = 3\nimports = [\"one.toml\"]\n[plugins.'io.containerd.cri.v1.runtime']\nenable_cdi = true\ncdi_spec_dirs = [\"/a\"]\nselinux_category_range = 1");
        Assert.Equal("false", Value(file, "plugins.\"io.containerd.cri.v1.runtime\".enable_cdi"));
        Assert.Equal("[\"/b\", \"/c\"]", Value(file, "plugins.\"io.containerd.cri.v1.runtime\".cdi_spec_dirs"));
        Assert.Equal("1", Value(file, "plugins.\"io.containerd.cri.v1.runtime\".selinux_category_range"));
    }

    [Fact]
    public void A_stream_processor_is_replaced_as_a_whole()
    {
        _folder.Write("one.toml", "version = 3\n[stream_processors.'a.b']\naccepts = [\"two\"]");
        ConfigurationFile file = Read("version = 3\nimports = [\"one.toml\"]\n[stream_processors.'a.b']\naccepts = [\"one\"]\npath = \"p\"\n[stream_processors.c]\npath = \"q\"");
        Assert.Equal(
            ["imports", "stream_processors.\"a.b\".accepts", "stream_processors.c.path", "version"],
            file.Settings.Select(setting => setting.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_older_import_is_brought_to_the_same_names()
    {
        _folder.Write("old.toml", "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"native\"");
        ConfigurationFile file = Read("version = 4\nimports = [\"old.toml\"]\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = \"overlayfs\"");
        Assert.Equal("\"native\"", Value(file, "plugins.\"io.containerd.cri.v1.images\".snapshotter"));
    }

    [Fact]
    public void Patterns_are_resolved_beside_the_file_in_order_and_what_imports_itself_is_read_once()
    {
        _folder.Write("conf.d/10.toml", "version = 3\nroot = \"/ten\"");
        _folder.Write("conf.d/20.toml", "version = 3\nroot = \"/twenty\"\nimports = [\"../config.toml\", \"deeper.toml\"]");
        _folder.Write("conf.d/deeper.toml", "version = 3\nstate = \"/deeper\"");
        _folder.Write("conf.d/ignored.txt", "no toml");
        ConfigurationFile file = Read("version = 3\nimports = [\"conf.d/[12]*.toml\", \"conf.d/*0.toml\"]");
        Assert.Equal("\"/twenty\"", Value(file, "root"));
        Assert.Equal("\"/deeper\"", Value(file, "state"));
    }

    [Fact]
    public void An_import_that_does_not_exist_is_told_of()
    {
        ConfigurationFile file = Read("version = 3\nimports = [\"none.toml\", \"none.d/*.toml\"]");
        Assert.EndsWith("config.toml:2: imports: \"none.toml\" does not exist", Assert.Single(file.Remarks).Line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_that_is_none_is_refused_with_its_line()
    {
        var refused = Assert.Throws<CliFailure>(() => Read("version = 3\nimports = [\"*[.toml\"]"));
        Assert.Contains("config.toml:2: imports: \"*[.toml\" has a bracket", refused.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_import_newer_than_the_first_file_is_refused()
    {
        _folder.Write("new.toml", "\nversion = 3");
        var refused = Assert.Throws<CliFailure>(() => Read("version = 2\nimports = [\"new.toml\"]"));
        Assert.Contains("new.toml:2: an imported file must not be newer than version 2", refused.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_does_not_exist_is_refused_by_name()
    {
        var refused = Assert.Throws<CliFailure>(() => ConfigurationFile.Read(_folder.PathOf("none.toml")));
        Assert.Equal($"cactl: {_folder.PathOf("none.toml")}: no such file", refused.Line);
    }

    private ConfigurationFile Read(string text) => ConfigurationFile.Read(_folder.Write("config.toml", text));

    private static string Value(ConfigurationFile file, string path) => file.Settings.Single(setting => setting.Path == path).Text;
}
