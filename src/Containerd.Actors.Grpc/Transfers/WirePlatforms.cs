// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Platforms as clients write them.</summary>
internal static class WirePlatforms
{
    /// <summary>One platform.</summary>
    public static Platform ToPlatform(Types.Platform wire) =>
        Platforms.Normalise(new Platform(wire.Os, wire.Architecture, wire.Variant.Length > 0 ? wire.Variant : null)
        {
            OsVersion = wire.OsVersion.Length > 0 ? wire.OsVersion : null,
        });

    /// <summary>Platforms in order.</summary>
    public static ImmutableArray<Platform> ToPlatforms(IEnumerable<Types.Platform> wire) => [.. wire.Select(ToPlatform)];
}
