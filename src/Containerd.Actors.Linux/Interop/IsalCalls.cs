// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Containerd.Actors.Linux.Interop;

/// <summary><c>isa-l/igzip_lib.h</c> of ISA-L 2.30, as far as members of gzip are read with it.</summary>
/// <remarks>
/// The layout of <c>struct inflate_state</c> belongs to one version, and no function tells which that is. So the library is asked for by the
/// name of its file, which ends with the version, must have the revision of the function in its symbols, and must read a member rightly, and
/// leave what lies behind the state alone, before anything is read with it.
/// </remarks>
internal sealed unsafe class IsalCalls
{
    /// <summary>The name of the file in the library path; the soname <c>libisal.so.2</c> stands for later versions too.</summary>
    internal const string FileName = "libisal.so.2.0.30";

    /// <summary><c>sizeof(struct inflate_state)</c>.</summary>
    internal const int StateBytes = 87_368;

    /// <summary>What <c>malloc</c> would align to, and vector instructions may ask for.</summary>
    internal const int StateAlignment = 64;

    /// <summary>Raw deflate with the trailer of gzip behind it, which is checked.</summary>
    internal const uint ISAL_GZIP_NO_HDR_VER = 6;

    internal const uint ISAL_BLOCK_FINISH = 5;
    internal const int ISAL_INCORRECT_CHECKSUM = -6;

    // DEFINE slver of igzip_inflate: the revision of isal_inflate that 2.30 has.
    private const string Revision = "isal_inflate_slver_0001008a";

    private static readonly Lazy<(IsalCalls? Calls, string Reason)> Loaded = new(Load);

    private readonly delegate* unmanaged<InflateState*, void> _init;
    private readonly delegate* unmanaged<InflateState*, void> _reset;
    private readonly delegate* unmanaged<InflateState*, int> _inflate;

    private IsalCalls(nint init, nint reset, nint inflate)
    {
        _init = (delegate* unmanaged<InflateState*, void>)init;
        _reset = (delegate* unmanaged<InflateState*, void>)reset;
        _inflate = (delegate* unmanaged<InflateState*, int>)inflate;
    }

    /// <summary>The library, loaded at the first call and kept; null with the reason when this host has none that is known.</summary>
    internal static IsalCalls? TryGet(out string reason)
    {
        reason = Loaded.Value.Reason;
        return Loaded.Value.Calls;
    }

    /// <summary>Makes a state of memory with any content; afterwards it reads raw deflate.</summary>
    internal void Init(InflateState* state) => _init(state);

    /// <summary>Begins another member; what kind is read, and the buffers, stay as they are.</summary>
    internal void Reset(InflateState* state) => _reset(state);

    /// <summary>Reads and writes until either buffer is used up, or the member has ended; less than 0 for what is no member.</summary>
    internal int Inflate(InflateState* state) => _inflate(state);

    private static (IsalCalls? Calls, string Reason) Load()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return (null, $"{FileName} is known on x64 only");
        }

        if (!NativeLibrary.TryLoad(FileName, out nint library))
        {
            return (null, $"{FileName} is not installed");
        }

        if (!NativeLibrary.TryGetExport(library, Revision, out _) ||
            !NativeLibrary.TryGetExport(library, "isal_inflate_init", out nint init) ||
            !NativeLibrary.TryGetExport(library, "isal_inflate_reset", out nint reset) ||
            !NativeLibrary.TryGetExport(library, "isal_inflate", out nint inflate))
        {
            return (null, $"{FileName} is not the library of that version");
        }

        IsalCalls calls = new(init, reset, inflate);
        return calls.ReadsRightly() ? (calls, "") : (null, $"{FileName} did not read a known member rightly");
    }

    // A member of the platform's own compressor, in pieces that end anywhere: bytes, counts, end and the memory behind the state must be right.
    private bool ReadsRightly()
    {
        const int guard = 4096;
        const byte pattern = 0xA5;
        byte[] plain = new byte[96 * 1024];
        for (int i = 0; i < plain.Length; i++)
        {
            plain[i] = (byte)(i * 7 + (i >> 9) * (i % 13));
        }

        using MemoryStream member = new();
        using (GZipStream gzip = new(member, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(plain);
        }

        // Its header is of the ten bytes that each has.
        byte[] compressed = member.ToArray()[10..];
        byte[] found = new byte[plain.Length + 1];
        byte* memory = (byte*)NativeMemory.AlignedAlloc(StateBytes + guard, StateAlignment);
        try
        {
            Span<byte> behind = new(memory + StateBytes, guard);
            new Span<byte>(memory, StateBytes + guard).Fill(pattern);
            var state = (InflateState*)memory;
            Init(state);
            state->CrcFlag = ISAL_GZIP_NO_HDR_VER;
            int written = ReadInPieces(state, compressed, found);
            return written == plain.Length && found.AsSpan(0, written).SequenceEqual(plain) && state->BlockState == ISAL_BLOCK_FINISH &&
                state->TotalOut == (uint)plain.Length && !behind.ContainsAnyExcept(pattern);
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    private int ReadInPieces(InflateState* state, byte[] compressed, byte[] found)
    {
        const int inputPiece = 1021;
        const int outputPiece = 3001;
        int read = 0;
        int written = 0;
        fixed (byte* input = compressed, output = found)
        {
            while (state->BlockState != ISAL_BLOCK_FINISH)
            {
                int give = Math.Min(inputPiece, compressed.Length - read);
                int take = Math.Min(outputPiece, found.Length - written);
                state->Give(input + read, give);
                state->Take(output + written, take);
                int code = Inflate(state);
                bool isBeyond = state->AvailIn > give || state->AvailOut > take;
                bool isStuck = state->AvailIn == give && state->AvailOut == take;
                if (code < 0 || isBeyond || isStuck)
                {
                    return -1;
                }

                read += give - (int)state->AvailIn;
                written += take - (int)state->AvailOut;
            }
        }

        return read == compressed.Length ? written : -1;
    }

    /// <summary>The fields of <c>struct inflate_state</c> that are used; the rest is the library's own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = StateBytes)]
    internal struct InflateState
    {
        [FieldOffset(0)]
        public byte* NextOut;

        [FieldOffset(8)]
        public uint AvailOut;

        [FieldOffset(12)]
        public uint TotalOut;

        [FieldOffset(16)]
        public byte* NextIn;

        [FieldOffset(32)]
        public uint AvailIn;

        [FieldOffset(21_160)]
        public uint BlockState;

        [FieldOffset(21_172)]
        public uint CrcFlag;

        public void Give(byte* input, int length)
        {
            NextIn = input;
            AvailIn = (uint)length;
        }

        public void Take(byte* output, int length)
        {
            NextOut = output;
            AvailOut = (uint)length;
        }
    }
}
