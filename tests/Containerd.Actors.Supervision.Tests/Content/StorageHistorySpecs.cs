// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Supervision.Tests.Content;

/// <summary>
/// Images that share layers are pulled and deleted side by side, with collections in between and ends of the daemon at any moment.
/// Whatever happens, an image that is there is whole, and when all are gone nothing is left on disk.
/// </summary>
public sealed class StorageHistorySpecs : StorageFixture
{
    private const int Rounds = 500;
    private const int Clients = 6;
    private const int Steps = 3;

    // In how many of a hundred rounds the tree ends in the middle.
    private const int Ends = 20;

    private volatile bool _isEnding;

    [Fact]
    public async Task Pulls_deletes_and_ends_of_the_daemon_lose_nothing_and_leak_nothing()
    {
        Start(collects: true);
        for (int round = 0; round < Rounds; round++)
        {
            await RoundAsync(round);
            await CheckImagesAsync(round);
            if (round % 10 == 9)
            {
                await ClearAsync();
                await CheckNothingIsLeftAsync(round);
            }
        }
    }

    private async Task RoundAsync(int seed)
    {
        var random = new Random(seed);
        bool ends = random.Next(100) < Ends;
        _isEnding = false;
        using var end = new CancellationTokenSource();
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(client => ClientAsync(new Random(unchecked((seed * 31) + client)), end.Token))];
        if (ends)
        {
            // Some of the clients' work is done by then: how much is up to the machine.
            await Task.WhenAny(clients[random.Next(Clients)], Pause(random.Next(8)));
            _isEnding = true;
            await EndAsync();
            await end.CancelAsync();
        }

        await Task.WhenAll(clients);
        if (ends)
        {
            Start(collects: true);
        }

        static Task Pause(int turns) => Task.Run(async () =>
        {
            for (int turn = 0; turn < turns * 50; turn++)
            {
                await Task.Yield();
            }
        });
    }

    private async Task ClientAsync(Random random, CancellationToken end)
    {
        try
        {
            for (int step = 0; step < Steps; step++)
            {
                SharedImage image = SharedImage.Some[random.Next(SharedImage.Some.Length)];
                switch (random.Next(10))
                {
                    case < 5:
                        await PullAsync(image, random, end);
                        break;
                    case < 8:
                        await Ask(new ImageCommands.Delete(Ns, image.Name, null, By), end);
                        break;
                    case 8:
                        await Ask(new ImageCommands.Delete(Ns, image.Name, null, By), end);
                        await Do(new GarbageCommands.Run(By), end);
                        break;
                    default:
                        await Do(new GarbageCommands.Run(By, IsDry: random.Next(2) == 0), end);
                        break;
                }
            }
        }
        catch (Exception over) when (over is OperationCanceledException or RefusedException && _isEnding)
        {
            // The daemon ended under this client.
        }
    }

    // What containerd's clients do: everything under a lease, the image last, the lease given back at the end.
    private async Task PullAsync(SharedImage image, Random random, CancellationToken end)
    {
        LeaseRecord lease = await Do(new LeaseCommands.Create(Ns, "", Labels.None, By), end);
        var by = By with { Lease = lease.Id };
        foreach (int layer in image.Layers)
        {
            await StoreAsync(SharedImage.Layer(layer), [], by, random, end);
        }

        await StoreAsync(image.Config, [], by, random, end);
        await StoreAsync(
            image.Manifest,
            [
                ($"{ContentLabels.ContentReference}.config", Digest.Of(image.Config).ToString()),
                .. image.Layers.Select((layer, i) => ($"{ContentLabels.ContentReference}.l.{i}", Digest.Of(SharedImage.Layer(layer)).ToString())),
            ],
            by,
            random,
            end);
        string parent = "";
        for (int i = 0; i < image.Layers.Length; i++)
        {
            await UnpackAsync(image.Layers[i], parent, image.Chain[i], by, random, end);
            parent = image.Chain[i];
        }

        string label = ContentLabels.SnapshotReference + Snapshotter;
        await Do(new ContentCommands.Update(Ns, Digest.Of(image.Config), Labels.None.Add(label, parent), [$"labels.{label}"], by), end);
        var target = new Descriptor("application/vnd.oci.image.manifest.v1+json", Digest.Of(image.Manifest), image.Manifest.Length);
        await Ask(new ImageCommands.Create(Ns, image.Name, target, Labels.None, null, by), end);

        // Some clients are gone before they give the lease back.
        if (random.Next(8) > 0)
        {
            await Do(new LeaseCommands.Delete(Ns, lease.Id, By), end);
        }
    }

    private async Task StoreAsync(
        byte[] blob, IEnumerable<(string Name, string Value)> labels, Protocol.Callers.Caller by, Random random, CancellationToken end)
    {
        Digest digest = Digest.Of(blob);
        string reference = $"layer-{digest}";
        for (; ; end.ThrowIfCancellationRequested())
        {
            switch (await Ask(new IngestCommands.Open(Ns, reference, blob.Length, digest, by), end))
            {
                case Protocol.Messages.Refused<IngestState> { Error.Kind: ErrorKind.AlreadyExists }:
                    return;
                case Protocol.Messages.Refused<IngestState> { Error.Kind: ErrorKind.Unavailable }:
                    await Task.Yield();
                    continue;
                case Protocol.Messages.Refused<IngestState> refused:
                    throw new RefusedException(refused.Error);
                case Protocol.Messages.Done<IngestState> { Result: var state }:
                    await FinishAsync(state.Offset);
                    return;
            }
        }

        async Task FinishAsync(long offset)
        {
            try
            {
                if (offset < blob.Length)
                {
                    int half = random.Next((int)offset, blob.Length);
                    IngestState written = await Do(new IngestCommands.Write(Ns, reference, offset, blob.AsMemory((int)offset, half - (int)offset)), end);
                    await Do(new IngestCommands.Write(Ns, reference, written.Offset, blob.AsMemory(half)), end);
                }

                var all = Labels.From(labels.Select(label => KeyValuePair.Create(label.Name, label.Value)));
                await Ask(new IngestCommands.Commit(Ns, reference, blob.Length, digest, all, by), end);
            }
            finally
            {
                Tree.Tell(new IngestCommands.Close(Ns, reference, Abort: false), ActorRefs.NoSender);
            }
        }
    }

    private async Task UnpackAsync(int layer, string parent, string name, Protocol.Callers.Caller by, Random random, CancellationToken end)
    {
        string key = string.Create(CultureInfo.InvariantCulture, $"extract-{random.NextInt64()} {name}");
        var prepare = new SnapshotterCommands.Prepare(
            Ns, Snapshotter, SnapshotKind.Active, key, parent, Labels.None.Add(SnapshotDecisions.TargetLabel, name), by);
        if (await Ask(prepare, end) is not Protocol.Messages.Done<ImmutableArray<Mount>> { Result: var mounts })
        {
            return;
        }

        await File.WriteAllTextAsync(Path.Combine(mounts[0].Source, $"layer-{layer}"), $"{layer}", end);
        if (await Ask(new SnapshotterCommands.Commit(Ns, Snapshotter, name, key, Labels.None, "", by), end)
            is Protocol.Messages.Refused<Protocol.Messages.Nothing>)
        {
            await Do(new SnapshotCommands.Remove(Ns, Snapshotter, key, by), end);
        }
    }

    private async Task CheckImagesAsync(int round)
    {
        NamespaceState state = await State();
        foreach (SharedImage image in SharedImage.Some.Where(image => state.Images.ContainsKey(image.Name)))
        {
            foreach (byte[] blob in image.Blobs)
            {
                Digest digest = Digest.Of(blob);
                Assert.True(state.Content.ContainsKey(digest), $"round {round}: {image.Name} lacks the record of {digest}");
                Assert.True(Store.TrySize(digest) == blob.Length, $"round {round}: {image.Name} lacks the bytes of {digest}");
            }

            for (int i = 0; i < image.Chain.Length; i++)
            {
                SnapshotRecord? snapshot = state.Snapshots.GetValueOrDefault(new SnapshotName(Snapshotter, image.Chain[i]));
                Assert.True(snapshot is not null, $"round {round}: {image.Name} lacks snapshot {i}");
                string file = Path.Combine(Backend.Root, "snapshots", $"{snapshot.Backend}", $"layer-{image.Layers[i]}");
                Assert.True(File.Exists(file), $"round {round}: {image.Name} lacks the files of snapshot {i}");
            }
        }
    }

    private async Task ClearAsync()
    {
        NamespaceState state = await State();
        foreach (string image in state.Images.Keys)
        {
            await Do(new ImageCommands.Delete(Ns, image, null, By));
        }

        foreach (string lease in state.Leases.Keys)
        {
            await Do(new LeaseCommands.Delete(Ns, lease, By));
        }

        await Do(new GarbageCommands.Run(By));
    }

    private async Task CheckNothingIsLeftAsync(int round)
    {
        NamespaceState state = await State();
        Assert.True(state.Content.IsEmpty && state.Snapshots.IsEmpty, $"round {round}: {state.Content.Count} blobs and {state.Snapshots.Count} snapshots are left");
        Assert.Empty(Store.List());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(ContentRoot, "ingest")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Backend.Root, "snapshots")));
    }
}
