// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Starting;

namespace Containerd.Actors.Shims.Tests;

public sealed class ShimAddressRefusalSpecs : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("shim-addresses-");

    [SkippableTheory]
    [InlineData(2, "grpc", "unix:///s", ErrorKind.Unknown, "containerd client supports only v3 GRPC task service (got 2)")]
    [InlineData(3, "http", "unix:///s", ErrorKind.NotImplemented, "shim protocol http")]
    [InlineData(3, "ttrpc", "vsock://3:1024", ErrorKind.NotImplemented, "shim address vsock://3:1024")]
    [InlineData(3, "grpc", "vsock://3:1024", ErrorKind.NotImplemented, "shim address vsock://3:1024")]
    public async Task What_nobody_here_speaks_is_refused_by_name(int version, string protocol, string address, ErrorKind kind, string text)
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "a bundle needs root");
        Bundle bundle = Bundle.Create(new BundleRoots(In("state"), In("root")), ShimHarness.Namespace, "a", "{}"u8);

        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(
            () => ShimConnection.ConnectAsync(bundle, new ShimAddress(version, address, protocol), TimeSpan.Zero));

        Assert.Equal(kind, refused.Error.Kind);
        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private string In(string name) => Path.Combine(_directory.FullName, name);
}
