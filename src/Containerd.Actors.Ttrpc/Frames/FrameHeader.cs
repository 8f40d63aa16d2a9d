// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace Containerd.Actors.Ttrpc.Frames;

/// <summary>What a frame carries. Frames of other types must be ignored.</summary>
public enum FrameType : byte
{
    /// <summary>No frame; never on the wire.</summary>
    None = 0,

    /// <summary>Opens a stream: a <c>ttrpc.Request</c>.</summary>
    Request = 1,

    /// <summary>Ends a stream: a <c>ttrpc.Response</c>.</summary>
    Response = 2,

    /// <summary>A bare message of an open stream.</summary>
    Data = 3,
}

/// <summary>The flags of a frame; their meaning depends on the type.</summary>
[Flags]
public enum FrameFlags : byte
{
    /// <summary>Nothing special.</summary>
    None = 0,

    /// <summary>The sender sends no more data on this stream.</summary>
    RemoteClosed = 1,

    /// <summary>On a request: the client will send data.</summary>
    RemoteOpen = 2,

    /// <summary>The frame carries no message, which differs from a message of zero bytes.</summary>
    NoData = 4,
}

/// <summary>The ten bytes before each frame's data (ttrpc protocol 1.2).</summary>
/// <param name="Length">Bytes of data that follow, the header excluded.</param>
/// <param name="StreamId">The stream; odd if opened by the client.</param>
/// <param name="Type">What the frame carries; may be a value outside of the enumeration.</param>
/// <param name="Flags">The flags, unknown bits included.</param>
public readonly record struct FrameHeader(uint Length, uint StreamId, FrameType Type, FrameFlags Flags)
{
    /// <summary>Bytes of an encoded header.</summary>
    public const int Size = 10;

    /// <summary>The largest data length, 4 MiB.</summary>
    public const int LengthMax = 4 * 1024 * 1024;

    /// <summary>Whether the data is longer than allowed; such data is discarded, the connection stays up.</summary>
    public bool IsOversized => Length > LengthMax;

    /// <summary>Whether a flag is set.</summary>
    public bool Has(FrameFlags flag) => (Flags & flag) != 0;

    /// <summary>Decodes the first <see cref="Size"/> bytes; every input is a header.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32BigEndian(source),
        BinaryPrimitives.ReadUInt32BigEndian(source[4..]),
        (FrameType)source[8],
        (FrameFlags)source[9]);

    /// <summary>Encodes the header into the first <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, Length);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], StreamId);
        target[8] = (byte)Type;
        target[9] = (byte)Flags;
    }
}
