// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Compression;

/// <summary>RFC 8878 by libzstd: checksums are checked where a frame has one, frames follow one another, skippable ones are passed over.</summary>
/// <remarks>A frame that wants a window of more than 128 MiB is refused. Other bytes behind a frame are refused.</remarks>
public sealed unsafe class ZstdDecoder : HostDecoder
{
    private readonly ZstdCalls _calls;
    private readonly ContextHandle _context;
    private bool _isBetween = true;

    private ZstdDecoder(ZstdCalls calls, ContextHandle context) => (_calls, _context) = (calls, context);

    /// <inheritdoc />
    public override bool MayEnd => _isBetween;

    /// <summary>A decoder; null with the reason when the host has no library that is known.</summary>
    /// <exception cref="InsufficientMemoryException">There is no memory for its context.</exception>
    public static ZstdDecoder? TryCreate(out string reason)
    {
        if (ZstdCalls.TryGet(out reason) is not { } calls)
        {
            return null;
        }

        ContextHandle context = new(calls);
        if (context.IsInvalid)
        {
            throw new InsufficientMemoryException("zstd: no memory for a context");
        }

        if (calls.ErrorOf(calls.SetParameter(context.Value, ZstdCalls.ZSTD_d_windowLogMax, ZstdCalls.WindowLogMax)) is { } error)
        {
            context.Dispose();
            reason = $"{ZstdCalls.FileName} takes no limit of the window: {error}";
            return null;
        }

        return new ZstdDecoder(calls, context);
    }

    /// <inheritdoc />
    protected override (int Read, int Written) Step(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.IsEmpty && _isBetween)
        {
            // The library would take it for the beginning of a frame.
            return (0, 0);
        }

        bool held = false;
        try
        {
            _context.DangerousAddRef(ref held);
            return Decompress(input, output);
        }
        finally
        {
            if (held)
            {
                _context.DangerousRelease();
            }
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _context.Dispose();
        }
    }

    private (int Read, int Written) Decompress(ReadOnlySpan<byte> input, Span<byte> output)
    {
        fixed (byte* from = input, to = output)
        {
            ZstdCalls.Buffer source = new() { Bytes = from, Size = (nuint)input.Length };
            ZstdCalls.Buffer target = new() { Bytes = to, Size = (nuint)output.Length };
            nuint result = _calls.Decompress(_context.Value, &target, &source);
            if (_calls.ErrorOf(result) is { } error)
            {
                throw new InvalidDataException($"zstd: {error}");
            }

            _isBetween = result == 0;
            return ((int)source.Position, (int)target.Position);
        }
    }

    // Freed only when no call is inside, and also when the decoder is forgotten.
    private sealed class ContextHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private readonly ZstdCalls _calls;

        public ContextHandle(ZstdCalls calls)
            : base(ownsHandle: true)
        {
            _calls = calls;
            SetHandle(calls.Create());
        }

        public nint Value => handle;

        protected override bool ReleaseHandle()
        {
            _calls.Free(handle);
            return true;
        }
    }
}
