// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Compression;

/// <summary>RFC 1952 by ISA-L: headers, checksums and lengths are checked, and members follow one another.</summary>
/// <remarks>
/// Bytes behind a member that do not begin another one are passed over, and no bytes at all are the form of none, both as .NET's
/// <see cref="System.IO.Compression.GZipStream"/> has it. Texts of errors are those of Go's compress/gzip and compress/flate, which clients
/// of containerd know.
/// </remarks>
public sealed unsafe class GzipDecoder : HostDecoder
{
    private const byte FirstOfMember = 0x1F;
    private const byte SecondOfMember = 0x8B;

    private readonly IsalCalls _calls;
    private readonly StateHandle _state = new();
    private GzipHeader _header = new();
    private Position _position = Position.Before;

    private GzipDecoder(IsalCalls calls)
    {
        _calls = calls;
        _calls.Init(_state.Pointer);
        _state.Pointer->CrcFlag = IsalCalls.ISAL_GZIP_NO_HDR_VER;
    }

    private enum Position
    {
        Before,
        InHeader,
        Within,
        Behind,
        BehindWithFirst,
        Ended,
    }

    /// <inheritdoc />
    public override bool MayEnd => _position is Position.Before or Position.Behind or Position.Ended;

    /// <inheritdoc />
    public override bool HasEnded => _position == Position.Ended;

    /// <summary>A decoder; null with the reason when the host has no library that is known.</summary>
    public static GzipDecoder? TryCreate(out string reason) => IsalCalls.TryGet(out reason) is { } calls ? new GzipDecoder(calls) : null;

    /// <inheritdoc />
    protected override (int Read, int Written) Step(ReadOnlySpan<byte> input, Span<byte> output)
    {
        bool held = false;
        try
        {
            _state.DangerousAddRef(ref held);
            return _position switch
            {
                Position.Within => Inflate(input, output),
                Position.Before or Position.InHeader => (ReadHeader(input), 0),
                _ => (Follow(input), 0),
            };
        }
        finally
        {
            if (held)
            {
                _state.DangerousRelease();
            }
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _state.Dispose();
        }
    }

    // Sees by the first two bytes whether another member follows; the first may be the last that is at hand.
    private int Follow(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty || _position == Position.Ended)
        {
            return 0;
        }

        if (_position == Position.Behind)
        {
            _position = input[0] == FirstOfMember ? Position.BehindWithFirst : Position.Ended;
            return _position == Position.Ended ? 0 : 1;
        }

        if (input[0] != SecondOfMember)
        {
            _position = Position.Ended;
            return 0;
        }

        _calls.Reset(_state.Pointer);
        _header = new GzipHeader();
        _ = _header.Feed([FirstOfMember]);
        return ReadHeader(input);
    }

    private int ReadHeader(ReadOnlySpan<byte> input)
    {
        int read = _header.Feed(input);
        _position = _header.IsDone ? Position.Within : input.IsEmpty ? _position : Position.InHeader;
        return read;
    }

    private (int Read, int Written) Inflate(ReadOnlySpan<byte> input, Span<byte> output)
    {
        IsalCalls.InflateState* state = _state.Pointer;
        int code;
        fixed (byte* from = input, to = output)
        {
            state->Give(from, input.Length);
            state->Take(to, output.Length);
            code = _calls.Inflate(state);
        }

        if (code < 0)
        {
            throw new InvalidDataException(code == IsalCalls.ISAL_INCORRECT_CHECKSUM ? "gzip: invalid checksum" : "flate: corrupt input");
        }

        _position = state->BlockState == IsalCalls.ISAL_BLOCK_FINISH ? Position.Behind : Position.Within;
        return (input.Length - (int)state->AvailIn, output.Length - (int)state->AvailOut);
    }

    // Freed only when no call is inside, and also when the decoder is forgotten.
    private sealed class StateHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public StateHandle()
            : base(ownsHandle: true) => SetHandle((nint)NativeMemory.AlignedAlloc(IsalCalls.StateBytes, IsalCalls.StateAlignment));

        public IsalCalls.InflateState* Pointer => (IsalCalls.InflateState*)handle;

        protected override bool ReleaseHandle()
        {
            NativeMemory.AlignedFree((void*)handle);
            return true;
        }
    }
}
