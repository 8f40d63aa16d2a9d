// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Content.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Containerd.Actors.TestKit.Contracts;

/// <summary>What the contracts share: a namespace of one's own, mounts that go with the test, refusals to compare.</summary>
/// <remarks>A contract is right only if containerd keeps it, so each is run against containerd too.</remarks>
public abstract class Contract : IDisposable
{
    private readonly ServedDaemon _daemon;
    private readonly List<string> _mounted = [];
    private ContainerdConnection? _client;

    protected Contract(ServedDaemon daemon) => _daemon = daemon;

    /// <summary>The daemon that is judged.</summary>
    protected ServedDaemon Daemon => _daemon;

    /// <summary>
    /// A connection in a namespace of this test alone, under a lease, so that garbage collection leaves alone what the test makes.
    /// Skips the test when the daemon cannot run here.
    /// </summary>
    protected ContainerdConnection Client
    {
        get
        {
            Skip.IfNot(_daemon.Missing.Length == 0, _daemon.Missing);
            return _client ??= Leased(_daemon.Fresh());
        }
    }

    /// <summary>The connection under a new lease.</summary>
    protected static ContainerdConnection Leased(ContainerdConnection connection)
    {
        string id = $"lease-{Guid.NewGuid():N}";
        connection.Leases.Create(new Services.Leases.V1.CreateRequest { Id = id });
        return connection.UnderLease(id);
    }

    /// <summary>Has garbage collected before it returns.</summary>
    protected async Task CollectAsync()
    {
        ContainerdConnection other = _daemon.Fresh();
        await other.Leases.CreateAsync(new Services.Leases.V1.CreateRequest { Id = "passing" });
        await other.Leases.DeleteAsync(new Services.Leases.V1.DeleteRequest { Id = "passing", Sync = true });
    }

    /// <summary>Mounts on a new directory until the test ends.</summary>
    protected string Mounted(IEnumerable<Types.Mount> mounts)
    {
        string target = Path.Combine(_daemon.Work, $"m-{Guid.NewGuid():N}");
        Directory.CreateDirectory(target);
        _mounted.Add(target);
        Mounter.MountAll([.. Mountable(mounts).Select(mount => new Core.Mounts.Mount(mount.Type, mount.Source, mount.Target, [.. mount.Options]))], target);
        return target;
    }

    /// <summary>The mounts in a form that mount(2) takes; those of snapshotters that leave some to the daemon are not.</summary>
    protected virtual IEnumerable<Types.Mount> Mountable(IEnumerable<Types.Mount> mounts) => mounts;

    /// <summary>Has the daemon mount what it can, as clients of containerd 2.2 do.</summary>
    protected IEnumerable<Types.Mount> Activated(IEnumerable<Types.Mount> mounts)
    {
        try
        {
            return Client.Mounts.Activate(new Services.Mounts.V1.ActivateRequest { Name = $"m-{Guid.NewGuid():N}", Mounts = { mounts } }).Info.System;
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.Unimplemented)
        {
            return mounts;
        }
    }

    /// <summary>Undoes a mount before the test ends.</summary>
    protected void Unmount(string target)
    {
        Mounter.UnmountAll(target, Mounter.Detach);
        Directory.Delete(target);
        _mounted.Remove(target);
    }

    /// <summary>The call is refused with this code and, where one is given, a text of this pattern.</summary>
    protected static async Task RefusedAsync(StatusCode code, string? pattern, Func<Task> call)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal((code, refused.Status.Detail), (refused.StatusCode, refused.Status.Detail));
        if (pattern is not null)
        {
            Assert.Matches($"^{pattern}$", refused.Status.Detail);
        }
    }

    /// <summary>Stores a blob and returns its digest.</summary>
    protected async Task<string> StoreAsync(byte[] bytes, ContainerdConnection? client = null)
    {
        string digest = DigestOf(bytes);
        using AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call = (client ?? Client).Content.Write();
        await call.RequestStream.WriteAsync(new WriteContentRequest
        {
            Action = WriteAction.Commit,
            Ref = $"store-{digest}",
            Data = ByteString.CopyFrom(bytes),
            Total = bytes.Length,
            Expected = digest,
        });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(digest, call.ResponseStream.Current.Digest);
        await call.RequestStream.CompleteAsync();
        return digest;
    }

    /// <summary>Reads a blob whole.</summary>
    protected async Task<byte[]> FetchAsync(string digest, long offset = 0, long size = 0)
    {
        using MemoryStream bytes = new();
        using AsyncServerStreamingCall<ReadContentResponse> call =
            Client.Content.Read(new ReadContentRequest { Digest = digest, Offset = offset, Size = size });
        await foreach (ReadContentResponse message in call.ResponseStream.ReadAllAsync())
        {
            bytes.Write(message.Data.Span);
        }

        return bytes.ToArray();
    }

    /// <summary>sha256 as containerd writes it.</summary>
    protected static string DigestOf(byte[] bytes) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}";

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Undoes the mounts.</summary>
    protected virtual void Dispose(bool disposing)
    {
        foreach (string target in _mounted)
        {
            Mounter.UnmountAll(target, Mounter.Detach);
        }
    }
}
