// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Containerd.Actors.Linux.Interop;

/// <summary><c>zstd.h</c> as far as frames are read with it: functions that are stable since version 1.4.0.</summary>
internal sealed unsafe class ZstdCalls
{
    /// <summary>The soname, which stands for the stable interface.</summary>
    internal const string FileName = "libzstd.so.1";

    internal const int ZSTD_d_windowLogMax = 100;

    /// <summary><c>ZSTD_WINDOWLOG_LIMIT_DEFAULT</c>: frames that want a window of more than 128 MiB are refused.</summary>
    internal const int WindowLogMax = 27;

    private const uint VersionMin = 10_400;

    private static readonly Lazy<(ZstdCalls? Calls, string Reason)> Loaded = new(Load);

    private readonly delegate* unmanaged<nint> _create;
    private readonly delegate* unmanaged<nint, nuint> _free;
    private readonly delegate* unmanaged<nint, int, int, nuint> _setParameter;
    private readonly delegate* unmanaged<nint, Buffer*, Buffer*, nuint> _decompress;
    private readonly delegate* unmanaged<nuint, uint> _isError;
    private readonly delegate* unmanaged<nuint, byte*> _errorName;

    private ZstdCalls(nint create, nint free, nint setParameter, nint decompress, nint isError, nint errorName)
    {
        _create = (delegate* unmanaged<nint>)create;
        _free = (delegate* unmanaged<nint, nuint>)free;
        _setParameter = (delegate* unmanaged<nint, int, int, nuint>)setParameter;
        _decompress = (delegate* unmanaged<nint, Buffer*, Buffer*, nuint>)decompress;
        _isError = (delegate* unmanaged<nuint, uint>)isError;
        _errorName = (delegate* unmanaged<nuint, byte*>)errorName;
    }

    /// <summary>The library, loaded at the first call and kept; null with the reason when this host has none that is known.</summary>
    internal static ZstdCalls? TryGet(out string reason)
    {
        reason = Loaded.Value.Reason;
        return Loaded.Value.Calls;
    }

    /// <summary>A context; 0 when there is no memory for it.</summary>
    internal nint Create() => _create();

    internal void Free(nint context) => _ = _free(context);

    internal nuint SetParameter(nint context, int parameter, int value) => _setParameter(context, parameter, value);

    /// <summary>Reads and writes as far as the buffers go; 0 where a frame has ended and all of it is written.</summary>
    internal nuint Decompress(nint context, Buffer* output, Buffer* input) => _decompress(context, output, input);

    /// <summary>The name of an error; null for a result that is none.</summary>
    internal string? ErrorOf(nuint result) => _isError(result) == 0 ? null : Marshal.PtrToStringUTF8((nint)_errorName(result));

    private static (ZstdCalls? Calls, string Reason) Load()
    {
        if (!NativeLibrary.TryLoad(FileName, out nint library))
        {
            return (null, $"{FileName} is not installed");
        }

        if (!NativeLibrary.TryGetExport(library, "ZSTD_versionNumber", out nint versionNumber) ||
            ((delegate* unmanaged<uint>)versionNumber)() < VersionMin ||
            !NativeLibrary.TryGetExport(library, "ZSTD_createDCtx", out nint create) ||
            !NativeLibrary.TryGetExport(library, "ZSTD_freeDCtx", out nint free) ||
            !NativeLibrary.TryGetExport(library, "ZSTD_DCtx_setParameter", out nint setParameter) ||
            !NativeLibrary.TryGetExport(library, "ZSTD_decompressStream", out nint decompress) ||
            !NativeLibrary.TryGetExport(library, "ZSTD_isError", out nint isError) ||
            !NativeLibrary.TryGetExport(library, "ZSTD_getErrorName", out nint errorName))
        {
            return (null, $"{FileName} is older than 1.4.0");
        }

        return (new ZstdCalls(create, free, setParameter, decompress, isError, errorName), "");
    }

    /// <summary><c>ZSTD_inBuffer</c> and <c>ZSTD_outBuffer</c>.</summary>
    internal struct Buffer
    {
        public byte* Bytes;
        public nuint Size;
        public nuint Position;
    }
}
