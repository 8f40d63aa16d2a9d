// SPDX-License-Identifier: Apache-2.0

using System.Buffers;

namespace Containerd.Actors.Core.Content;

/// <summary>Buffers for content on its way: uploads, downloads, layers. They are used again while there is work.</summary>
/// <remarks>
/// The shared pool of .NET keeps what one pull needed at its height, tens of megabytes, for many minutes: it lets a buffer go with a
/// collection, and only after a minute. These go when they are told to.
/// </remarks>
public static class ContentBuffers
{
    private const int LengthMax = 4 << 20;
    private const int EachMax = 64;
    private static ArrayPool<byte> _pool = New();

    /// <summary>A buffer of at least so many bytes, with anything in it.</summary>
    public static byte[] Rent(int length) => Volatile.Read(ref _pool).Rent(length);

    /// <summary>Takes a buffer back that nobody reads any more.</summary>
    public static void Return(byte[] buffer) => Volatile.Read(ref _pool).Return(buffer);

    /// <summary>Leaves the buffers that are not in use to the garbage collector.</summary>
    public static void LetGo() => Volatile.Write(ref _pool, New());

    // What one pool lent may be returned to another: it is kept or dropped by its length.
    private static ArrayPool<byte> New() => ArrayPool<byte>.Create(LengthMax, EachMax);
}
