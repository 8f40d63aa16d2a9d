// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Core.Linux;
using Tmds.Linux;

namespace Containerd.Actors.Linux.Files;

/// <summary>Turns the thread's errno into the exception that names call and path.</summary>
internal static class FileErrors
{
    public const int NotFound = 2;
    public const int Interrupted = 4;
    public const int Exists = 17;
    public const int NotADirectory = 20;
    public const int NoAttribute = 61;
    public const int NotSupported = 95;

    public static LinuxException Last(string call, string path) => For(call, LibC.errno, path);

    public static LinuxException For(string call, int errno, string path)
    {
        string reason = Marshal.GetPInvokeErrorMessage(errno);
        reason = reason.Length > 1 && char.IsUpper(reason[0]) && char.IsLower(reason[1])
            ? char.ToLowerInvariant(reason[0]) + reason[1..]
            : reason;
        return new LinuxException(new LinuxError(call, errno, Name(errno), reason, path));
    }

    private static string Name(int errno) => errno switch
    {
        1 => "EPERM",
        2 => "ENOENT",
        4 => "EINTR",
        5 => "EIO",
        6 => "ENXIO",
        7 => "E2BIG",
        9 => "EBADF",
        11 => "EAGAIN",
        12 => "ENOMEM",
        13 => "EACCES",
        16 => "EBUSY",
        17 => "EEXIST",
        18 => "EXDEV",
        19 => "ENODEV",
        20 => "ENOTDIR",
        21 => "EISDIR",
        22 => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        26 => "ETXTBSY",
        27 => "EFBIG",
        28 => "ENOSPC",
        30 => "EROFS",
        31 => "EMLINK",
        34 => "ERANGE",
        36 => "ENAMETOOLONG",
        38 => "ENOSYS",
        39 => "ENOTEMPTY",
        40 => "ELOOP",
        61 => "ENODATA",
        75 => "EOVERFLOW",
        95 => "EOPNOTSUPP",
        116 => "ESTALE",
        122 => "EDQUOT",
        _ => $"errno {errno}",
    };
}
