// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Shims.Tests;

public class RuntimeBinarySpecs
{
    [Theory]
    [InlineData("io.containerd.runc.v2", "containerd-shim-runc-v2")]
    [InlineData("a.b", "containerd-shim-a-b")]
    public void A_dotted_name_names_a_binary(string runtime, string binary) => Assert.Equal(binary, RuntimeBinary.NameOf(runtime));

    [Theory]
    [InlineData("runc")]
    [InlineData(".runc.v2")]
    [InlineData("bin/shim.v2")]
    public void Other_names_are_refused(string runtime) => Assert.StartsWith(
        $"invalid runtime name {runtime}, ",
        Assert.Throws<RefusedException>(() => RuntimeBinary.Resolve(runtime, "/bin", "/")).Error.Message,
        StringComparison.Ordinal);

    [Fact]
    public void A_missing_path_is_refused() => Assert.StartsWith(
        "invalid custom binary path: ",
        Assert.Throws<RefusedException>(() => RuntimeBinary.Resolve("/no/such/shim", "/bin", "/")).Error.Message,
        StringComparison.Ordinal);

    [Fact]
    public void A_binary_that_is_not_installed_is_named() => Assert.StartsWith(
        "runtime \"io.x.y.v1\" binary not installed \"containerd-shim-y-v1\"",
        Assert.Throws<RefusedException>(() => RuntimeBinary.Resolve("io.x.y.v1", "/bin", "/")).Error.Message,
        StringComparison.Ordinal);
}
