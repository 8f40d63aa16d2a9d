// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Benchmarks.Images;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Actors.TestKit.Registries;

namespace Containerd.Actors.Benchmarks.Sides;

/// <summary>Everything that rows are measured on: both daemons, a registry, an OCI runtime, and a disk for what belongs to neither side.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly string _work = Path.Combine(Path.GetTempPath(), $"bench-{Guid.NewGuid():N}"[..14]);
    private readonly Dictionary<string, MadeImage> _images = [];
    private readonly List<string> _notes = [];
    private ScratchFileSystem? _files;
    private DockerRegistry? _registry;

    private Bench(Sizes sizes, string output) => (Sizes, Output) = (sizes, output);

    /// <summary>How much is measured.</summary>
    public Sizes Sizes { get; }

    /// <summary>Where tables and plots go.</summary>
    public string Output { get; }

    /// <summary>Debian's containerd; null if there is none to compare with.</summary>
    public Side? Reference { get; private set; }

    /// <summary>This product's daemon.</summary>
    public Side Ours { get; private set; } = null!;

    /// <summary>The OCI runtime of both.</summary>
    public OciRuntime OciRuntime { get; private set; } = null!;

    /// <summary>The sides that there are, the reference first.</summary>
    public IReadOnlyList<Side> Sides => Reference is null ? [Ours] : [Reference, Ours];

    /// <summary>A directory on a fresh file system.</summary>
    public string Disk => _files!.Directory;

    /// <summary>Sentences that go below the table.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Adds a sentence that goes below the table.</summary>
    public void Note(string sentence) => _notes.Add(sentence);

    /// <summary>Starts everything; what was started is taken back when it fails.</summary>
    /// <param name="sizes">How much will be measured.</param>
    /// <param name="output">Where tables and plots go.</param>
    /// <param name="isAlone">Without the reference.</param>
    /// <param name="ociRuntime">The OCI runtime; null for the first that works.</param>
    /// <param name="cancellation">It is not wanted any more.</param>
    public static async Task<Bench> StartAsync(Sizes sizes, string output, bool isAlone, string? ociRuntime, CancellationToken cancellation)
    {
        Bench bench = new(sizes, output);
        try
        {
            await bench.StartAsync(isAlone, ociRuntime, cancellation);
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>The image that is pulled, with its layers compressed so; made when it is asked for first.</summary>
    public async Task<MadeImage> LayersAsync(Compression compression, CancellationToken cancellation)
    {
        if (!_images.TryGetValue(compression.Name, out MadeImage? image))
        {
            using ImagePush push = new(_registry!.Host);
            image = await push.LayersAsync(compression, Sizes.Layers, Sizes.LayerFiles, cancellation);
            _images.Add(compression.Name, image);
        }

        return image;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (Side? side in new[] { Reference, Ours })
        {
            if (side is not null)
            {
                await side.DisposeAsync();
            }
        }

        if (_registry is not null)
        {
            await _registry.DisposeAsync();
        }

        await Leftovers.RemoveNamespaceAsync(Path.GetFileName(_work));
        _files?.Dispose();
        if (Directory.Exists(_work))
        {
            Directory.Delete(_work, recursive: true);
        }
    }

    private async Task StartAsync(bool isAlone, string? ociRuntime, CancellationToken cancellation)
    {
        // A namespace for each: the OCI runtime keeps its state by namespace, whoever called it.
        string run = Path.GetFileName(_work);
        _files = await ScratchFileSystem.MountAsync(Path.Combine(_work, "disk"));
        OciRuntime = await OciRuntime.ChooseAsync(ociRuntime, Disk, run, cancellation);
        _registry = await DockerRegistry.StartAsync(Disk);
        using ImagePush push = new(_registry.Host);
        MadeImage busybox = await push.BusyboxAsync(cancellation);
        if (!isAlone)
        {
            Reference = await Side.StartAsync("containerd", new StockDaemon(), $"{run}-reference", busybox, OciRuntime.Name);
        }

        Ours = await Side.StartAsync("ours", new ActorsDaemon(), $"{run}-ours", busybox, OciRuntime.Name);
    }
}
