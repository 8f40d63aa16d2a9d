// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Stdio;
using Containerd.Actors.Client.Values;
using Containerd.Events;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Cli.Tests.Client;

public sealed class ClientSpecs
{
    [Fact]
    public void An_any_carries_the_bare_name_and_both_forms_are_read()
    {
        Any bare = TypedAny.Of(new TaskOOM { ContainerId = "x" });
        Any prefixed = Any.Pack(new TaskOOM { ContainerId = "x" });

        Assert.Equal("containerd.events.TaskOOM", bare.TypeUrl);
        Assert.True(TypedAny.TryRead(bare, TaskOOM.Parser, out TaskOOM? read));
        Assert.Equal("x", read.ContainerId);
        Assert.True(TypedAny.TryRead(prefixed, TaskOOM.Parser, out _));
        Assert.False(TypedAny.TryRead(bare, TaskExit.Parser, out _));
        Assert.False(TypedAny.TryRead(null, TaskExit.Parser, out _));
    }

    [Fact]
    public void Gos_zero_time_is_no_time()
    {
        Assert.Null(Instant.From(null));
        Assert.Null(Instant.From(new Timestamp { Seconds = -62135596800 }));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(5), Instant.From(new Timestamp { Seconds = 5 }));
    }

    [Fact]
    public void Each_call_carries_namespace_and_lease()
    {
        Metadata headers = new MetadataInterceptor("default", "l1").Complete(null);

        Assert.Equal("default", headers.GetValue("containerd-namespace"));
        Assert.Equal("l1", headers.GetValue("containerd-lease"));
    }

    [Fact]
    public void What_a_call_says_itself_is_kept()
    {
        Metadata headers = new MetadataInterceptor("default", null).Complete(new Metadata { { "containerd-namespace", "k8s.io" } });

        Assert.Equal("k8s.io", Assert.Single(headers).Value);
    }

    [Fact]
    public async Task Pipes_carry_what_is_written_and_vanish()
    {
        string root = Directory.CreateTempSubdirectory("fifo-specs-").FullName;
        try
        {
            using (FifoSet fifos = FifoSet.Create(root, "x", stdin: true, terminal: false))
            {
                await using (var shim = new FileStream(fifos.Stdout, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0))
                {
                    shim.Write([1, 2, 3]);
                }

                fifos.ReleaseWriters();
                using var read = new MemoryStream();
                await fifos.Output.CopyToAsync(read);

                Assert.Equal([1, 2, 3], read.ToArray());
                Assert.Null(fifos.OpenInput());
            }

            Assert.Empty(Directory.EnumerateFileSystemEntries(root));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task A_daemon_that_does_not_run_is_unavailable()
    {
        using ContainerdConnection connection = ContainerdConnection.Open(Path.Combine(Path.GetTempPath(), "no-such.sock"), "default");

        RpcException refused = await Assert.ThrowsAsync<RpcException>(async () => await connection.Version.VersionAsync(new Empty()));

        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.Contains("is not running", Cli.Errors.Failures.Of(refused, "x", "/s").Line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_longer_than_a_socket_holds_is_refused() =>
        Assert.ThrowsAny<ArgumentException>(() => ContainerdConnection.Open("/" + new string('x', 200), "default"));
}
