// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;

namespace Containerd.Actors.Supervision.Namespaces;

/// <summary>Ids for leases whose makers name none.</summary>
public static class LeaseIds
{
    /// <summary>The nanosecond part of the moment and four random base64url characters, as containerd makes them.</summary>
    public static string Next(DateTimeOffset now)
    {
        long nanoseconds = now.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick;
        return string.Create(
            CultureInfo.InvariantCulture, $"{nanoseconds}-{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(3))}");
    }
}
