// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Runtimes;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Shims.Runtimes;
using Containerd.Actors.Shims.Starting;
using Containerd.Runc.V1;
using Google.Protobuf;

namespace Containerd.Actors.Shims.Tests.Runtimes;

public sealed class RuntimeCatalogueSpecs
{
    private const string Runc = "io.containerd.runc.v2";
    private const string None = "io.containerd.none.v9";
    private const string RuncOptions = "containerd.runc.v1.Options";

    private static readonly ShimLauncher Launcher = new(new ShimSettings
    {
        GrpcAddress = "/d", TtrpcAddress = "/d.ttrpc", DaemonBinary = "/bin/true", Environment = [],
    });

    private readonly RuntimeCatalogue _catalogue = new(
        [
            new RuntimeHandler("plain", Runc, "", "", "podsandbox", null),
            new RuntimeHandler("crun", Runc, "", "", "podsandbox", Of(new Options { BinaryName = "crun" })),
            new RuntimeHandler("own", Runc, "/bin/true", "", "podsandbox", null),
            new RuntimeHandler("lost", "io.containerd.lost.v1", "/no/such/shim", "", "podsandbox", null),
            new RuntimeHandler("vm", "io.containerd.vm.v1", "", "", "shim", new AnyValue("runtimeoptions.v1.Options", new byte[] { 1 })),
        ],
        "/none",
        "/none",
        Launcher,
        () => Task.FromResult("/opt/crun"));

    [Fact]
    public void Handlers_are_told_by_name() =>
        Assert.Equal(["crun", "lost", "own", "plain", "vm"], _catalogue.Handlers.Select(handler => handler.Name));

    [Theory]
    [InlineData("own", "/bin/true")]
    [InlineData("/bin/true", "/bin/true")]
    public void A_handlers_path_and_a_path_itself_are_taken_as_they_are(string runtime, string binary) =>
        Assert.Equal(binary, _catalogue.BinaryOf(runtime));

    [Theory]
    [InlineData("plain", "runtime \"io.containerd.runc.v2\" binary not installed \"containerd-shim-runc-v2\": file does not exist")]
    [InlineData("vm", "runtime \"io.containerd.vm.v1\" binary not installed \"containerd-shim-vm-v1\": file does not exist")]
    [InlineData("lost", "invalid custom binary path: stat /no/such/shim: no such file or directory")]
    [InlineData("io.containerd.other.v3", "runtime \"io.containerd.other.v3\" binary not installed \"containerd-shim-other-v3\": file does not exist")]
    [InlineData("", "no runtime name")]
    [InlineData("other", "invalid runtime name other, correct runtime name should be either format like `io.containerd.runc.v2` or a full path to the binary: invalid argument")]
    [InlineData("a/b", "invalid runtime name a/b, correct runtime name should be either format like `io.containerd.runc.v2` or a full path to the binary: invalid argument")]
    public void What_is_no_runtime_is_refused_in_containerds_words(string runtime, string text) =>
        Assert.Equal(text, Assert.Throws<RefusedException>(() => _catalogue.BinaryOf(runtime)).Error.Text);

    [Theory]
    [InlineData("crun", null, "crun")]
    [InlineData("crun", "runc", "runc")]
    [InlineData("plain", null, "/opt/crun")]
    [InlineData(Runc, null, "/opt/crun")]
    [InlineData(Runc, "", "/opt/crun")]
    [InlineData(Runc, "runc", "runc")]
    public async Task The_clients_oci_runtime_wins_over_the_handlers_and_that_over_the_one_that_works(string runtime, string? given, string used)
    {
        AnyValue? options = await _catalogue.OptionsOfAsync(runtime, given is null ? null : Of(new Options { BinaryName = given }), default);
        Assert.Equal(used, Options.Parser.ParseFrom(options!.Value.Span).BinaryName);
    }

    [Fact]
    public async Task Other_options_for_runc_stay_what_they_are()
    {
        AnyValue? options = await _catalogue.OptionsOfAsync(Runc, Of(new Options { SystemdCgroup = true, IoUid = 7 }), default);
        Assert.Equal(new Options { SystemdCgroup = true, IoUid = 7, BinaryName = "/opt/crun" }, Options.Parser.ParseFrom(options!.Value.Span));
    }

    [Fact]
    public async Task Options_of_other_runtimes_are_passed_on_byte_for_byte()
    {
        AnyValue given = new("vm.Options", new byte[] { 9, 9 });
        Assert.Equal(given, await _catalogue.OptionsOfAsync("vm", given, default));
        Assert.Equal("runtimeoptions.v1.Options", (await _catalogue.OptionsOfAsync("vm", null, default))!.TypeUrl);
        Assert.Null(await _catalogue.OptionsOfAsync("io.containerd.other.v1", null, default));
    }

    [Fact]
    public async Task Options_for_runc_that_are_none_are_refused()
    {
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(
            () => _catalogue.OptionsOfAsync(Runc, new AnyValue(RuncOptions, new byte[] { 0xff }), default));
        Assert.Equal(ErrorKind.InvalidArgument, refused.Error.Kind);
    }

    [Fact]
    public async Task A_runtime_that_is_not_there_tells_nothing_of_itself()
    {
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => _catalogue.GetInfoAsync("vm", null, default));
        Assert.StartsWith("failed to resolve runtime path: runtime \"io.containerd.vm.v1\" binary not installed", refused.Error.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", "/bin/true")]
    [InlineData("/bin/true", "/bin/true")]
    public void Another_executable_serves_in_place_of_a_shim(string other, string binary)
    {
        RuntimeCatalogue catalogue = With(other);
        Assert.Equal(binary, catalogue.BinaryOf(None));
        Assert.Equal(binary, catalogue.BinaryOf("plain"));
        Assert.Equal($"none-v9={binary}", Assert.Single(catalogue.Replaced));
    }

    [Fact]
    public void A_path_has_the_shim_that_was_named()
    {
        RuntimeCatalogue catalogue = With("true");
        Assert.Equal("/bin/false", catalogue.BinaryOf("/bin/false"));
        Assert.Equal("/bin/false", catalogue.BinaryOf("own"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no-such-shim")]
    [InlineData("/no/such/shim")]
    public void What_is_not_there_replaces_nothing(string other)
    {
        RuntimeCatalogue catalogue = With(other);
        Assert.Contains("containerd-shim-none-v9", Assert.Throws<RefusedException>(() => catalogue.BinaryOf(None)).Error.Text, StringComparison.Ordinal);
        Assert.Empty(catalogue.Replaced);
    }

    private static RuntimeCatalogue With(string other) => new(
        [
            new RuntimeHandler("plain", None, "", "", "podsandbox", null),
            new RuntimeHandler("own", Runc, "/bin/false", "", "podsandbox", null),
        ],
        "/none",
        "/bin",
        Launcher,
        null,
        ImmutableDictionary<string, string>.Empty.Add("none-v9", other));

    private static AnyValue Of(Options options) => new(RuncOptions, options.ToByteArray());
}
