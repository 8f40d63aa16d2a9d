// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Supervision.Tests.Content;

/// <summary>An image made of blobs that other images are made of too.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Manifest">Bytes its target stands for.</param>
/// <param name="Config">Bytes of its configuration.</param>
/// <param name="Layers">Numbers of its layers, base first.</param>
internal sealed record SharedImage(string Name, byte[] Manifest, byte[] Config, ImmutableArray<int> Layers)
{
    private const int LayerBytes = 3000;

    /// <summary>Names of its snapshots, base first.</summary>
    public ImmutableArray<string> Chain { get; } = [.. ChainId.Each([.. Layers.Select(layer => Digest.Of(Layer(layer)))]).Select(id => id.ToString())];

    /// <summary>Every blob of the image.</summary>
    public IEnumerable<byte[]> Blobs => [Manifest, Config, .. Layers.Select(Layer)];

    /// <summary>Images whose layers begin alike, for shared parents, and differ at the end.</summary>
    public static ImmutableArray<SharedImage> Some { get; } =
    [
        Of(0, 0), Of(1, 0, 1), Of(2, 0, 1, 2), Of(3, 0, 1, 3), Of(4, 0, 4), Of(5, 5, 1), Of(6, 5, 1, 2),
    ];

    /// <summary>The bytes of a layer.</summary>
    public static byte[] Layer(int number) => [.. Enumerable.Repeat((byte)number, LayerBytes)];

    private static SharedImage Of(int number, params ImmutableArray<int> layers) => new(
        string.Create(CultureInfo.InvariantCulture, $"image-{number}"),
        Encoding.UTF8.GetBytes($"manifest {number}"),
        Encoding.UTF8.GetBytes($"config {string.Join(',', layers)}"),
        layers);
}
