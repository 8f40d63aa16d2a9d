// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Core.Linux;

namespace Containerd.Actors.Linux.Interop;

/// <summary>Turns the error number of a failed call into a value. Names and texts are those of errno(3), lower case as containerd prints them.</summary>
public static class LinuxErrors
{
    /// <summary>Operation not permitted.</summary>
    public const int EPERM = 1;

    /// <summary>No such file or directory.</summary>
    public const int ENOENT = 2;

    /// <summary>No such process.</summary>
    public const int ESRCH = 3;

    /// <summary>Interrupted system call.</summary>
    public const int EINTR = 4;

    /// <summary>Resource temporarily unavailable; also EWOULDBLOCK.</summary>
    public const int EAGAIN = 11;

    /// <summary>Block device required; of EROFS: the kernel does not mount a plain file.</summary>
    public const int ENOTBLK = 15;

    /// <summary>Device or resource busy.</summary>
    public const int EBUSY = 16;

    /// <summary>File exists.</summary>
    public const int EEXIST = 17;

    /// <summary>Not a directory.</summary>
    public const int ENOTDIR = 20;

    /// <summary>Is a directory.</summary>
    public const int EISDIR = 21;

    /// <summary>Invalid argument.</summary>
    public const int EINVAL = 22;

    /// <summary>Broken pipe: nobody reads any more.</summary>
    public const int EPIPE = 32;

    /// <summary>File name too long.</summary>
    public const int ENAMETOOLONG = 36;

    /// <summary>Directory not empty.</summary>
    public const int ENOTEMPTY = 39;

    /// <summary>No data available; of attributes: there is none of the name.</summary>
    public const int ENODATA = 61;

    /// <summary>Operation not supported, for example by the file system.</summary>
    public const int EOPNOTSUPP = 95;

    /// <summary>Not connected; of btrfs: quotas are not enabled.</summary>
    public const int ENOTCONN = 107;

    private static readonly Dictionary<int, (string Name, string Reason)> Known = new()
    {
        [1] = ("EPERM", "operation not permitted"),
        [2] = ("ENOENT", "no such file or directory"),
        [3] = ("ESRCH", "no such process"),
        [4] = ("EINTR", "interrupted system call"),
        [5] = ("EIO", "input/output error"),
        [6] = ("ENXIO", "no such device or address"),
        [7] = ("E2BIG", "argument list too long"),
        [8] = ("ENOEXEC", "exec format error"),
        [9] = ("EBADF", "bad file descriptor"),
        [10] = ("ECHILD", "no child processes"),
        [11] = ("EAGAIN", "resource temporarily unavailable"),
        [12] = ("ENOMEM", "cannot allocate memory"),
        [13] = ("EACCES", "permission denied"),
        [14] = ("EFAULT", "bad address"),
        [15] = ("ENOTBLK", "block device required"),
        [16] = ("EBUSY", "device or resource busy"),
        [17] = ("EEXIST", "file exists"),
        [18] = ("EXDEV", "invalid cross-device link"),
        [19] = ("ENODEV", "no such device"),
        [20] = ("ENOTDIR", "not a directory"),
        [21] = ("EISDIR", "is a directory"),
        [22] = ("EINVAL", "invalid argument"),
        [23] = ("ENFILE", "too many open files in system"),
        [24] = ("EMFILE", "too many open files"),
        [25] = ("ENOTTY", "inappropriate ioctl for device"),
        [26] = ("ETXTBSY", "text file busy"),
        [27] = ("EFBIG", "file too large"),
        [28] = ("ENOSPC", "no space left on device"),
        [29] = ("ESPIPE", "illegal seek"),
        [30] = ("EROFS", "read-only file system"),
        [31] = ("EMLINK", "too many links"),
        [32] = ("EPIPE", "broken pipe"),
        [33] = ("EDOM", "numerical argument out of domain"),
        [34] = ("ERANGE", "numerical result out of range"),
        [35] = ("EDEADLK", "resource deadlock avoided"),
        [36] = ("ENAMETOOLONG", "file name too long"),
        [37] = ("ENOLCK", "no locks available"),
        [38] = ("ENOSYS", "function not implemented"),
        [39] = ("ENOTEMPTY", "directory not empty"),
        [40] = ("ELOOP", "too many levels of symbolic links"),
        [61] = ("ENODATA", "no data available"),
        [62] = ("ETIME", "timer expired"),
        [71] = ("EPROTO", "protocol error"),
        [74] = ("EBADMSG", "bad message"),
        [75] = ("EOVERFLOW", "value too large for defined data type"),
        [84] = ("EILSEQ", "invalid or incomplete multibyte or wide character"),
        [87] = ("EUSERS", "too many users"),
        [88] = ("ENOTSOCK", "socket operation on non-socket"),
        [89] = ("EDESTADDRREQ", "destination address required"),
        [90] = ("EMSGSIZE", "message too long"),
        [91] = ("EPROTOTYPE", "protocol wrong type for socket"),
        [92] = ("ENOPROTOOPT", "protocol not available"),
        [93] = ("EPROTONOSUPPORT", "protocol not supported"),
        [95] = ("EOPNOTSUPP", "operation not supported"),
        [97] = ("EAFNOSUPPORT", "address family not supported by protocol"),
        [98] = ("EADDRINUSE", "address already in use"),
        [99] = ("EADDRNOTAVAIL", "cannot assign requested address"),
        [103] = ("ECONNABORTED", "software caused connection abort"),
        [104] = ("ECONNRESET", "connection reset by peer"),
        [105] = ("ENOBUFS", "no buffer space available"),
        [106] = ("EISCONN", "transport endpoint is already connected"),
        [107] = ("ENOTCONN", "transport endpoint is not connected"),
        [110] = ("ETIMEDOUT", "connection timed out"),
        [111] = ("ECONNREFUSED", "connection refused"),
        [113] = ("EHOSTUNREACH", "no route to host"),
        [114] = ("EALREADY", "operation already in progress"),
        [115] = ("EINPROGRESS", "operation now in progress"),
        [116] = ("ESTALE", "stale file handle"),
        [117] = ("EUCLEAN", "structure needs cleaning"),
        [121] = ("EREMOTEIO", "remote I/O error"),
        [122] = ("EDQUOT", "disk quota exceeded"),
        [123] = ("ENOMEDIUM", "no medium found"),
        [125] = ("ECANCELED", "operation canceled"),
        [131] = ("ENOTRECOVERABLE", "state not recoverable"),
    };

    /// <summary>The failure of the call that just returned; reads errno at once, so nothing may lie between the two.</summary>
    public static LinuxException Last(string call, string path = "") => Failure(Marshal.GetLastPInvokeError(), call, path);

    /// <summary>The failure of a call that returned its error number itself.</summary>
    public static LinuxException Failure(int errno, string call, string path = "") => new(Of(errno, call, path));

    /// <summary>The failure of a call whose error number is already known.</summary>
    public static LinuxError Of(int errno, string call, string path = "")
    {
        (string name, string reason) = Known.TryGetValue(errno, out (string Name, string Reason) known) ? known : ($"E{errno}", $"errno {errno}");
        return new LinuxError(call, errno, name, reason, path);
    }
}
