// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text.Json;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Images;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Contents;
using Containerd.Actors.Oci.Images;
using Containerd.Services.Containers.V1;
using Containerd.Services.Content.V1;
using Containerd.Services.Diff.V1;
using Containerd.Services.Images.V1;
using Containerd.Services.Snapshots.V1;
using Containerd.Services.Tasks.V1;
using Grpc.Core;
using Descriptor = Containerd.Actors.Oci.Images.Descriptor;

namespace Containerd.Actors.Cli.Making;

/// <summary>How a container becomes an image.</summary>
/// <param name="Author">Who makes it.</param>
/// <param name="Message">Why.</param>
/// <param name="Pauses">True to hold its processes while its files are read.</param>
internal sealed record CommitRequest(string Author, string Message, bool Pauses);

/// <summary>Makes an image of a container: that of its image with one layer more, which holds what the container changed.</summary>
/// <remarks>The new layer is unpacked too, so that the image can be run at once.</remarks>
/// <param name="connection">The daemon, under a lease.</param>
/// <param name="time">The clock.</param>
internal sealed class ContainerCommit(ContainerdConnection connection, TimeProvider time)
{
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Makes the image; answers its manifest, which has no name yet.</summary>
    /// <exception cref="CliFailure">The container has no image to start from, or another one by now.</exception>
    public async Task<Descriptor> RunAsync(string id, CommitRequest request, CancellationToken cancellation)
    {
        GetContainerResponse found = await connection.Containers.GetAsync(new GetContainerRequest { Id = id }, cancellationToken: cancellation).ConfigureAwait(false);
        Container container = found.Container;
        (ResolvedImage image, string parent) = await BaseAsync(container, cancellation).ConfigureAwait(false);
        bool isDocker = image.Manifest.MediaType == MediaTypes.DockerManifest;

        Descriptor layer = await PausedAsync(id, request.Pauses, () => DiffAsync(container, parent, cancellation), cancellation).ConfigureAwait(false);
        Digest diffId = await DiffIdAsync(layer, cancellation).ConfigureAwait(false);
        string chainId = ChainId.Of([.. image.Config.RootFs.DiffIds, diffId]).ToString();
        await UnpackAsync(container.Snapshotter, layer, parent, chainId, cancellation).ConfigureAwait(false);

        byte[] before = await BlobReader.ReadAsync(connection, image.Manifest.Config!.Digest.ToString(), cancellation).ConfigureAwait(false);
        byte[] config = CommittedConfig.Write(
            before, new CommittedLayer(diffId, time.GetUtcNow(), Command(container), request.Author, request.Message));
        Descriptor configuration = await WriteAsync(
            image.Manifest.Config with { Digest = Digest.Of(config), Size = config.Length },
            config,
            new Dictionary<string, string> { [ContentLabels.SnapshotReference + container.Snapshotter] = chainId },
            cancellation).ConfigureAwait(false);
        Manifest manifest = image.Manifest with
        {
            Config = configuration,
            Layers = [.. image.Manifest.Layers, layer with { MediaType = isDocker ? MediaTypes.DockerLayerGzip : MediaTypes.OciLayerGzip }],
        };
        byte[] document = ImageDocuments.Write(manifest);
        return await WriteAsync(
            new Descriptor(isDocker ? MediaTypes.DockerManifest : MediaTypes.OciManifest, Digest.Of(document), document.Length),
            document,
            ContentLabels.OfChildren(manifest),
            cancellation).ConfigureAwait(false);
    }

    private async Task<(ResolvedImage Image, string Parent)> BaseAsync(Container container, CancellationToken cancellation)
    {
        if (container.SnapshotKey.Length == 0)
        {
            throw new CliFailure(container.Id, "the container has no snapshot, so nothing tells what it changed");
        }

        StatSnapshotResponse snapshot = await connection.Snapshots.StatAsync(
            new StatSnapshotRequest { Snapshotter = container.Snapshotter, Key = container.SnapshotKey }, cancellationToken: cancellation).ConfigureAwait(false);
        var store = new ImageStore(connection);
        Image image = await store.FindAsync(container.Image, cancellation).ConfigureAwait(false)
            ?? throw new CliFailure(container.Id, $"its image {container.Image} is gone", $"pull it with \"cactl pull {container.Image}\"");
        ResolvedImage resolved = await store.ResolveAsync(image, PlatformMatcher.Default, cancellation).ConfigureAwait(false);
        return resolved.ChainId == snapshot.Info.Parent
            ? (resolved, snapshot.Info.Parent)
            : throw new CliFailure(container.Id, $"{container.Image} is another image now than the one that the container was made of");
    }

    // The processes go on whatever becomes of the layer.
    private async Task<Descriptor> PausedAsync(string id, bool pauses, Func<Task<Descriptor>> act, CancellationToken cancellation)
    {
        if (!pauses || !await IsRunningAsync(id, cancellation).ConfigureAwait(false))
        {
            return await act().ConfigureAwait(false);
        }

        await connection.Tasks.PauseAsync(new PauseTaskRequest { ContainerId = id }, cancellationToken: cancellation).ConfigureAwait(false);
        try
        {
            return await act().ConfigureAwait(false);
        }
        finally
        {
            await connection.Tasks.ResumeAsync(
                new ResumeTaskRequest { ContainerId = id }, deadline: DateTime.UtcNow + UndoTimeout, cancellationToken: CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<bool> IsRunningAsync(string id, CancellationToken cancellation)
    {
        try
        {
            GetResponse task = await connection.Tasks.GetAsync(new GetRequest { ContainerId = id }, cancellationToken: cancellation).ConfigureAwait(false);
            return task.Process.Status == V1.Types.Status.Running;
        }
        catch (RpcException none) when (none.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
    }

    private async Task<Descriptor> DiffAsync(Container container, string parent, CancellationToken cancellation)
    {
        string view = $"{container.Id}-commit-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        DiffRequest request = new() { MediaType = MediaTypes.OciLayerGzip, Ref = view };
        ViewSnapshotResponse lower = await connection.Snapshots.ViewAsync(
            new ViewSnapshotRequest { Snapshotter = container.Snapshotter, Key = view, Parent = parent }, cancellationToken: cancellation).ConfigureAwait(false);
        try
        {
            MountsResponse upper = await connection.Snapshots.MountsAsync(
                new MountsRequest { Snapshotter = container.Snapshotter, Key = container.SnapshotKey }, cancellationToken: cancellation).ConfigureAwait(false);
            request.Left.AddRange(lower.Mounts);
            request.Right.AddRange(upper.Mounts);
            DiffResponse made = await connection.Diff.DiffAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            return new Descriptor(made.Diff.MediaType, Digest.Parse(made.Diff.Digest), made.Diff.Size);
        }
        finally
        {
            await RemoveAsync(container.Snapshotter, view).ConfigureAwait(false);
        }
    }

    private async Task<Digest> DiffIdAsync(Descriptor layer, CancellationToken cancellation)
    {
        InfoResponse info = await connection.Content.InfoAsync(
            new InfoRequest { Digest = layer.Digest.ToString() }, cancellationToken: cancellation).ConfigureAwait(false);
        return info.Info.Labels.TryGetValue(ContentLabels.Uncompressed, out string? diffId) && Digest.TryParse(diffId, out Digest digest)
            ? digest
            : throw new CliFailure(layer.Digest.ToString(), $"the daemon did not say what the layer's archive is ({ContentLabels.Uncompressed})");
    }

    private async Task UnpackAsync(string snapshotter, Descriptor layer, string parent, string chainId, CancellationToken cancellation)
    {
        string key = $"extract-{RandomNumberGenerator.GetHexString(8, lowercase: true)} {chainId}";
        try
        {
            PrepareSnapshotResponse prepared = await connection.Snapshots.PrepareAsync(
                new PrepareSnapshotRequest { Snapshotter = snapshotter, Key = key, Parent = parent }, cancellationToken: cancellation).ConfigureAwait(false);
            ApplyRequest apply = new() { Diff = ImageStore.ToWire(layer) };
            apply.Mounts.AddRange(prepared.Mounts);
            await connection.Diff.ApplyAsync(apply, cancellationToken: cancellation).ConfigureAwait(false);
            await connection.Snapshots.CommitAsync(
                new CommitSnapshotRequest { Snapshotter = snapshotter, Name = chainId, Key = key }, cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (RpcException exists) when (exists.StatusCode == StatusCode.AlreadyExists)
        {
            // The same files were committed before.
            await RemoveAsync(snapshotter, key).ConfigureAwait(false);
        }
        catch
        {
            await RemoveAsync(snapshotter, key).ConfigureAwait(false);
            throw;
        }
    }

    private async Task RemoveAsync(string snapshotter, string key)
    {
        try
        {
            await connection.Snapshots.RemoveAsync(
                new RemoveSnapshotRequest { Snapshotter = snapshotter, Key = key }, deadline: DateTime.UtcNow + UndoTimeout).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.StatusCode is StatusCode.NotFound or StatusCode.Unavailable or StatusCode.DeadlineExceeded)
        {
            // The lease keeps it no longer than itself.
            return;
        }
    }

    private async Task<Descriptor> WriteAsync(
        Descriptor document, byte[] bytes, IReadOnlyDictionary<string, string> labels, CancellationToken cancellation)
    {
        using var source = new MemoryStream(bytes);
        await BlobWriter.WriteAsync(connection, ContentLabels.IngestKey(document), source, labels, cancellation).ConfigureAwait(false);
        return document;
    }

    // The command of the container, as its spec has it.
    private static string Command(Container container)
    {
        try
        {
            using JsonDocument spec = JsonDocument.Parse(container.Spec?.Value.Memory ?? default);
            return spec.RootElement.TryGetProperty("process", out JsonElement process) && process.TryGetProperty("args", out JsonElement arguments)
                ? string.Join(' ', arguments.EnumerateArray().Select(argument => argument.GetString()))
                : "";
        }
        catch (Exception unread) when (unread is JsonException or InvalidOperationException)
        {
            return $"container {container.Id}";
        }
    }
}
