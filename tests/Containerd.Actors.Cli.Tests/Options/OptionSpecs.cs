// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Options;

namespace Containerd.Actors.Cli.Tests.Options;

public sealed class OptionSpecs
{
    [Theory]
    [InlineData("1", 1L)]
    [InlineData("64m", 64L * 1024 * 1024)]
    [InlineData("64MiB", 64L * 1024 * 1024)]
    [InlineData("1.5g", 1536L * 1024 * 1024)]
    [InlineData("2k", 2048L)]
    [InlineData("10 b", 10L)]
    public void Sizes_are_read_with_their_units(string text, long bytes) => Assert.Equal(bytes, Quantities.ParseBytes(text));

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("0")]
    [InlineData("-1m")]
    [InlineData("1x")]
    [InlineData("1.2.3m")]
    [InlineData("99999999999999999999t")]
    [InlineData("8388608t")]
    public void Sizes_that_make_no_sense_are_refused(string text) => Assert.Throws<FormatException>(() => Quantities.ParseBytes(text));

    [Theory]
    [InlineData("0.5", 50_000L)]
    [InlineData("2", 200_000L)]
    [InlineData("0.01", 1_000L)]
    public void Processors_become_a_quota(string text, long quota) => Assert.Equal(quota, Quantities.ParseCpus(text));

    [Theory]
    [InlineData("0")]
    [InlineData("0.001")]
    [InlineData("-1")]
    [InlineData("many")]
    [InlineData("1e3")]
    public void Processors_out_of_range_are_refused(string text) => Assert.Throws<FormatException>(() => Quantities.ParseCpus(text));

    [Theory]
    [InlineData("9", 9u)]
    [InlineData("KILL", 9u)]
    [InlineData("sigterm", 15u)]
    [InlineData("SIGUSR2", 12u)]
    [InlineData("HUP", 1u)]
    [InlineData("SYS", 31u)]
    [InlineData("RTMIN+3", 37u)]
    [InlineData("SIGRTMAX-1", 63u)]
    public void Signals_are_read_by_name_and_number(string text, uint signal) => Assert.Equal(signal, Signals.Parse(text));

    [Theory]
    [InlineData("0")]
    [InlineData("65")]
    [InlineData("TERMINATE")]
    [InlineData("")]
    [InlineData("RTMIN-1")]
    [InlineData("RTMAX-99")]
    public void Unknown_signals_are_refused(string text) => Assert.Throws<FormatException>(() => Signals.Parse(text));

    [Fact]
    public void A_mount_defaults_to_a_writable_recursive_bind()
    {
        BindMount mount = BindMount.ParseMount("src=/a,dst=/b");

        Assert.Equal(("bind", "/a", "/b"), (mount.Type, mount.Source, mount.Destination));
        Assert.Equal(["rbind", "rw"], mount.Options);
    }

    [Fact]
    public void A_mount_keeps_the_options_it_names()
    {
        BindMount mount = BindMount.ParseMount("type=bind,source=/a,target=/b,options=bind:ro");

        Assert.Equal(["bind", "ro"], mount.Options);
    }

    [Fact]
    public void A_tmpfs_needs_no_source()
    {
        BindMount mount = BindMount.ParseMount("type=tmpfs,dst=/tmp,options=size=1m");

        Assert.Equal(("tmpfs", "tmpfs", "/tmp"), (mount.Type, mount.Source, mount.Destination));
        Assert.Equal(["size=1m"], mount.Options);
    }

    [Theory]
    [InlineData("src=/a")]
    [InlineData("src=a,dst=/b")]
    [InlineData("src=/a,dst=b")]
    [InlineData("src=/a,dst=/b,colour=red")]
    [InlineData("type=,dst=/b")]
    public void A_malformed_mount_is_refused(string text) => Assert.Throws<FormatException>(() => BindMount.ParseMount(text));

    [Fact]
    public void A_volume_may_be_read_only() => Assert.Equal(["rbind", "ro"], BindMount.ParseVolume("/a:/b:ro").Options);

    [Theory]
    [InlineData("/a")]
    [InlineData("name:/b")]
    [InlineData("/a:b")]
    [InlineData("/a:/b:fast")]
    [InlineData("/a:/b:ro:ro")]
    public void A_malformed_volume_is_refused(string text) => Assert.Throws<FormatException>(() => BindMount.ParseVolume(text));

    [Fact]
    public void A_variable_without_a_value_is_passed_on()
    {
        Assert.Equal("A=1", Pairs.ParseEnvironment("A=1", _ => null));
        Assert.Equal("A=", Pairs.ParseEnvironment("A=", _ => "other"));
        Assert.Equal("A=own", Pairs.ParseEnvironment("A", name => name == "A" ? "own" : null));
        Assert.Null(Pairs.ParseEnvironment("A", _ => null));
        Assert.Throws<FormatException>(() => Pairs.ParseEnvironment("=1", _ => null));
    }

    [Fact]
    public void A_label_over_4096_bytes_is_refused()
    {
        Assert.Equal(KeyValuePair.Create("k", "a=b"), Pairs.ParseLabel("k=a=b"));
        Assert.Throws<FormatException>(() => Pairs.ParseLabel("k=" + new string('x', 4096)));
        Assert.Throws<FormatException>(() => Pairs.ParseLabel("=x"));
    }

    [Fact]
    public void Credentials_split_at_the_first_colon()
    {
        Assert.Equal(("me", "a:b"), Pairs.ParseCredentials("me:a:b"));
        Assert.Equal(("me", ""), Pairs.ParseCredentials("me"));
        Assert.Equal(("", ""), Pairs.ParseCredentials(null));
    }

    [Fact]
    public void A_moment_is_a_cursor_or_a_time()
    {
        Assert.Equal(42ul, Moment.Parse("42").Cursor);
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), Moment.Parse("2026-01-31T13:00:00+01:00").Time);
        Assert.Throws<FormatException>(() => Moment.Parse("yesterday"));
        Assert.Throws<FormatException>(() => Moment.Parse("-1"));
    }

    [Theory]
    [InlineData("docker.io/library/redis:7", true)]
    [InlineData("localhost/redis", true)]
    [InlineData("registry:5000/redis", true)]
    [InlineData("library/redis", false)]
    [InlineData("redis", false)]
    [InlineData("/redis", false)]
    public void Only_a_name_with_a_host_is_fully_qualified(string name, bool qualified) =>
        Assert.Equal(qualified, ImageNames.IsFullyQualified(name));
}
