// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Client.Values;

/// <summary>Reads timestamps as containerd sends them.</summary>
public static class Instant
{
    // Go's zero time is the start of year 1; containerd sends it where a time is not known.
    private const long GoZeroSeconds = -62135596800;

    /// <summary>The point in time; null for an absent timestamp and for Go's zero time.</summary>
    public static DateTimeOffset? From(Timestamp? timestamp) =>
        timestamp is null || timestamp.Seconds == GoZeroSeconds || (timestamp.Seconds == 0 && timestamp.Nanos == 0)
            ? null
            : timestamp.ToDateTimeOffset();
}
