// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Registry.Fetching;

/// <summary>When a blob is fetched in several ranges at a time.</summary>
/// <param name="BlobsMax">Blobs of all pulls that are at a time; 0 for none.</param>
/// <param name="BlobBytesMin">Bytes of a blob from which on it is.</param>
/// <param name="Connections">Ranges on their way at a time.</param>
/// <param name="RangeBytes">Bytes of a range. A blob holds two more in memory than are on their way.</param>
/// <param name="Patience">Longest time in which the range that is needed next may bring nothing; then the blob goes on in one stream.</param>
public sealed record RangeSettings(int BlobsMax, long BlobBytesMin, int Connections, int RangeBytes, TimeSpan Patience)
{
    /// <summary>Every blob comes in one stream.</summary>
    public static RangeSettings None { get; } = new(0, long.MaxValue, 1, 1 << 20, TimeSpan.FromSeconds(10));
}

/// <summary>Whose turn it is to fetch in ranges: bounds what all pulls together hold in memory for it. Safe for use by many threads.</summary>
/// <param name="max">Turns at a time.</param>
public sealed class RangeTurns(int max)
{
    private int _taken;

    /// <summary>True if there was a turn; it is given back by <see cref="Give"/>.</summary>
    public bool TryTake()
    {
        if (Interlocked.Increment(ref _taken) <= max)
        {
            return true;
        }

        Give();
        return false;
    }

    /// <summary>Gives a turn back.</summary>
    public void Give() => Interlocked.Decrement(ref _taken);
}
