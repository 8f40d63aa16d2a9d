// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Node.V1;
using Containerd.Services.Content.V1;
using Containerd.Services.Images.V1;
using Containerd.Services.Leases.V1;
using Containerd.Services.Snapshots.V1;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Images in the registry of a machine that are made of each other's layers, and what can be asked of them.</summary>
internal sealed class SharedLayers(Machine machine, ContainerdConnection connection)
{
    private const string Snapshotter = "overlayfs";
    private const int Count = 5;

    private readonly Lock _gate = new();
    private TaskCompletionSource _moment = new();
    private int _stepsLeft = -1;

    /// <summary>Their names.</summary>
    public string[] Names { get; } =
        [.. Enumerable.Range(0, Count).Select(i => machine.Busybox.Replace("busybox", $"shared-{i}", StringComparison.Ordinal))];

    /// <summary>Makes and pushes them: each is busybox with one or two small layers, of which others have the first.</summary>
    public async Task PushAsync()
    {
        string work = Path.GetDirectoryName(machine.Root)!;
        string registry = machine.Busybox.Split('/')[0];
        string script = $"""
            set -e; cd {work}
            for i in 0 1 2 3 4; do mkdir -p s$i; echo $i > s$i/f; head -c 20000 /dev/urandom > s$i/g; umoci tag --image l:busybox shared-$i; done
            for i in 1 2 3; do umoci tag --image l:shared-0 shared-$i; done
            umoci insert --image l:shared-1 s1 /one; umoci tag --image l:shared-1 shared-2; umoci tag --image l:shared-1 shared-3
            umoci insert --image l:shared-2 s2 /two; umoci insert --image l:shared-3 s3 /three; umoci insert --image l:shared-4 s4 /four
            for i in 0 1 2 3 4; do skopeo copy -q --dest-tls-verify=false oci:l:shared-$i docker://{registry}/library/shared-$i:latest; done
            """;
        Ran made = await Command.RunAsync("bash", "-c", script);
        Assert.True(made.Status == 0, made.All);
    }

    /// <summary>Ends when the pulls have told so many more steps.</summary>
    public Task MomentAsync(int steps)
    {
        lock (_gate)
        {
            (_stepsLeft, _moment) = (steps, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            return _moment.Task;
        }
    }

    /// <summary>Pulls one in the daemon; answers why it failed, empty if it did not.</summary>
    public async Task<string> PullAsync(string name)
    {
        using AsyncServerStreamingCall<PullProgress> pull = connection.Node.Pull(new PullRequest { Reference = name, PlainHttp = true });
        string error = "the pull had no end";
        await foreach (PullProgress progress in pull.ResponseStream.ReadAllAsync())
        {
            lock (_gate)
            {
                if (--_stepsLeft == 0)
                {
                    _moment.TrySetResult();
                }
            }

            error = progress.Stage switch { "completed" => "", "failed" => progress.Error, _ => error };
        }

        return error;
    }

    /// <summary>Deletes one; a missing one is fine.</summary>
    public async Task DeleteAsync(string name, bool sync)
    {
        try
        {
            await connection.Images.DeleteAsync(new DeleteImageRequest { Name = name, Sync = sync });
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.NotFound)
        {
            // Somebody else was first.
        }
    }

    /// <summary>Every image that is there has its blobs, their bytes, and a top snapshot that can be looked at.</summary>
    public async Task CheckAsync(string when)
    {
        foreach (Image image in (await connection.Images.ListAsync(new ListImagesRequest())).Images)
        {
            Ran check = await machine.CtrAsync("-n", connection.Namespace, "image", "check", $"name=={image.Name}");
            Assert.True(check.Output.Contains("complete", StringComparison.Ordinal) && !check.Output.Contains("incomplete", StringComparison.Ordinal), $"{when}: {check.All}");
            Ran why = await machine.CactlAsync("-n", connection.Namespace, "why", image.Target.Digest);
            Assert.Contains("kept by", why.Output, StringComparison.Ordinal);
            string target = Directory.CreateTempSubdirectory("looked-").FullName;
            Ran looked = await machine.CtrAsync("-n", connection.Namespace, "image", "mount", image.Name, target);
            Assert.True(looked.Status == 0, $"{when}: {image.Name}: {looked.All}");
            Assert.True(File.Exists(Path.Combine(target, "bin", "busybox")), $"{when}: {image.Name} has no busybox in {target}");
            Ran away = await machine.CtrAsync("-n", connection.Namespace, "image", "unmount", "--rm", target);
            Assert.True(away.Status == 0, away.All);
            Directory.Delete(target);
        }
    }

    /// <summary>Removes images, leases and uploads, collects, and finds nothing left on disk.</summary>
    public async Task ClearAsync(string when)
    {
        foreach (Image image in (await connection.Images.ListAsync(new ListImagesRequest())).Images)
        {
            await DeleteAsync(image.Name, sync: false);
        }

        foreach (Lease lease in (await connection.Leases.ListAsync(new Services.Leases.V1.ListRequest())).Leases)
        {
            await connection.Leases.DeleteAsync(new Services.Leases.V1.DeleteRequest { Id = lease.Id });
        }

        foreach (Services.Content.V1.Status upload in (await connection.Content.ListStatusesAsync(new ListStatusesRequest())).Statuses)
        {
            await connection.Content.AbortAsync(new AbortRequest { Ref = upload.Ref });
        }

        CollectResponse run = await connection.Node.CollectAsync(new CollectRequest());
        using AsyncServerStreamingCall<ListSnapshotsResponse> snapshots = connection.Snapshots.List(new ListSnapshotsRequest { Snapshotter = Snapshotter });
        await foreach (ListSnapshotsResponse part in snapshots.ResponseStream.ReadAllAsync())
        {
            Assert.True(part.Info.Count == 0, $"{when}: snapshots are left: {part.Info} after {run}");
        }

        string content = Path.Combine(machine.Root, "io.containerd.content.v1.content");
        foreach (string directory in (string[])[
            Path.Combine(content, "blobs", "sha256"),
            Path.Combine(content, "ingest"),
            Path.Combine(machine.Root, $"io.containerd.snapshotter.v1.{Snapshotter}", "snapshots")])
        {
            string[] left = Directory.GetFileSystemEntries(directory);
            Assert.True(left.Length == 0, $"{when}: left in {directory}: {string.Join(' ', left)} after {run}");
        }
    }
}
