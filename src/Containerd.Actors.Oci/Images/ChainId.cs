// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Containerd.Actors.Oci.Images;

/// <summary>Names a stack of layers by one digest; committed snapshots of images carry these names.</summary>
/// <remarks>OCI image-spec, config.md "Layer ChainID".</remarks>
public static class ChainId
{
    /// <summary>The chain id of all layers, lowest first.</summary>
    /// <exception cref="ArgumentException">There is no layer.</exception>
    public static Digest Of(IReadOnlyList<Digest> diffIds) => diffIds is { Count: > 0 }
        ? Each(diffIds)[^1]
        : throw new ArgumentException("a chain has at least one layer", nameof(diffIds));

    /// <summary>The chain id of each layer together with those below it; as many as there are layers.</summary>
    public static IReadOnlyList<Digest> Each(IReadOnlyList<Digest> diffIds)
    {
        ArgumentNullException.ThrowIfNull(diffIds);
        var chain = new Digest[diffIds.Count];
        for (int i = 0; i < chain.Length; i++)
        {
            chain[i] = i == 0 ? diffIds[0] : Digest.Of(Encoding.ASCII.GetBytes($"{chain[i - 1]} {diffIds[i]}"));
        }

        return chain;
    }
}
