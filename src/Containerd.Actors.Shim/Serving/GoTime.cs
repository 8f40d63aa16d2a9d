// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shim.Serving;

/// <summary>Times as Go's clients test them.</summary>
internal static class GoTime
{
    private const long YearOne = -62135596800;

    /// <summary>A time that was not set: the first second of year 1.</summary>
    public static Timestamp Zero { get; } = new() { Seconds = YearOne };
}
