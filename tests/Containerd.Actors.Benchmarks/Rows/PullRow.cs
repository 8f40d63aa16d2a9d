// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Images;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;
using Containerd.Actors.TestKit.Programs;
using Containerd.Services.Images.V1;
using Grpc.Core;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>A pull from a registry on this machine until the image is unpacked, by <c>ctr image pull</c>, or by <c>cactl pull</c> on our side.</summary>
internal sealed class PullRow(Sizes sizes, Compression compression, bool isByCactl) : PairedRow
{
    /// <inheritdoc />
    public override string Name => isByCactl ? $"cactl pull {compression.Name}" : $"pull {compression.Name}";

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } =
    [
        new(
            $"{(isByCactl ? "`cactl pull` against `ctr image pull`" : "`ctr image pull`")}, {sizes.Layers} {compression.Name} layers",
            "ms",
            Goal.RatioAtMost(0.5)),
    ];

    /// <inheritdoc />
    protected override int Rounds(Sizes size) => size.HeavyRounds;

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        MadeImage image = await bench.LayersAsync(compression, cancellation);
        long started = Stopwatch.GetTimestamp();
        await (isByCactl && side.IsOurs
            ? side.CactlAsync(cancellation, "pull", "--plain-http", image.Reference)
            : side.CtrAsync(cancellation, "image", "pull", "--plain-http", image.Reference));
        double taken = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        await ForgetAsync(side, image, cancellation);
        return [taken];
    }

    // Everything of it goes, and the disk has nothing left to write when the next pull begins.
    private static async Task ForgetAsync(Side side, MadeImage image, CancellationToken cancellation)
    {
        try
        {
            await side.Connection.Images.DeleteAsync(new DeleteImageRequest { Name = image.Reference, Sync = true }, cancellationToken: cancellation);
        }
        catch (RpcException refused)
        {
            throw new InvalidOperationException($"{side.Name}: {image.Reference} was not removed: {refused.Status.Detail}", refused);
        }

        await Command.RunAsync("sync");
    }
}
