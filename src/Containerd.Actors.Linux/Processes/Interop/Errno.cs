// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Core.Linux;

namespace Containerd.Actors.Linux.Processes.Interop;

/// <summary>Error numbers this folder tells apart, and their exceptions.</summary>
internal static class Errno
{
    public const int Interrupted = 4;
    public const int Again = 11;
    public const int NotFound = 2;
    public const int NoProcess = 3;
    public const int Exists = 17;
    public const int Invalid = 22;
    public const int BrokenPipe = 32;

    /// <summary>The failure of the call just made.</summary>
    public static LinuxException Last(string call, string path = "") => Of(Marshal.GetLastPInvokeError(), call, path);

    /// <summary>The failure with that number.</summary>
    public static LinuxException Of(int number, string call, string path = "")
    {
        var reason = Marshal.GetPInvokeErrorMessage(number);
        var lower = reason.Length == 0 ? "unknown error" : char.ToLowerInvariant(reason[0]) + reason[1..];
        return new LinuxException(new LinuxError(call, number, Name(number), lower, path));
    }

    private static string Name(int number) => number switch
    {
        1 => "EPERM",
        NotFound => "ENOENT",
        NoProcess => "ESRCH",
        Interrupted => "EINTR",
        5 => "EIO",
        7 => "E2BIG",
        8 => "ENOEXEC",
        9 => "EBADF",
        10 => "ECHILD",
        Again => "EAGAIN",
        12 => "ENOMEM",
        13 => "EACCES",
        16 => "EBUSY",
        Exists => "EEXIST",
        20 => "ENOTDIR",
        21 => "EISDIR",
        Invalid => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        26 => "ETXTBSY",
        28 => "ENOSPC",
        30 => "EROFS",
        BrokenPipe => "EPIPE",
        36 => "ENAMETOOLONG",
        40 => "ELOOP",
        _ => $"E{number}",
    };
}
