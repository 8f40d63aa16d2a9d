// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;

namespace Containerd.Actors.Grpc.Calls;

/// <summary>Between mounts on the wire and <see cref="Mount"/>.</summary>
public static class WireMounts
{
    /// <summary>The mount as clients know it.</summary>
    public static Types.Mount ToWire(Mount mount)
    {
        Types.Mount wire = new() { Type = mount.Type, Source = mount.Source, Target = mount.Target };
        wire.Options.AddRange(mount.Options);
        return wire;
    }

    /// <summary>Mounts of a request, in order.</summary>
    public static ImmutableArray<Mount> FromWire(IEnumerable<Types.Mount> wire) =>
        [.. wire.Select(mount => new Mount(mount.Type, mount.Source, mount.Target, [.. mount.Options]))];
}
