// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Linux;

/// <summary>A system call that failed: which, why and on what.</summary>
/// <param name="Call">Name of the call, as its man page.</param>
/// <param name="Errno">Number of the error.</param>
/// <param name="Name">Name of the error, for example <c>EBUSY</c>.</param>
/// <param name="Reason">The C library's text, for example <c>device or resource busy</c>.</param>
/// <param name="Path">The object of the call; empty if it has none.</param>
public sealed record LinuxError(string Call, int Errno, string Name, string Reason, string Path)
{
    /// <summary>The class under which callers see it; texts name call, path and reason.</summary>
    public Error ToError() => new(
        Name switch
        {
            "ENOENT" or "ESRCH" => ErrorKind.NotFound,
            "EEXIST" => ErrorKind.AlreadyExists,
            "EACCES" or "EPERM" => ErrorKind.PermissionDenied,
            "ENOSPC" or "EDQUOT" or "EMFILE" or "ENFILE" or "ENOMEM" => ErrorKind.ResourceExhausted,
            "EBUSY" => ErrorKind.Unavailable,
            _ => ErrorKind.Unknown,
        },
        ToString());

    /// <inheritdoc />
    public override string ToString() => Path.Length == 0 ? $"{Call}: {Reason} ({Name})" : $"{Call} {Path}: {Reason} ({Name})";
}

/// <summary>Carries a <see cref="LinuxError"/> from the port where the call failed to the lane or actor that answers for it.</summary>
public sealed class LinuxException(LinuxError error) : Exception(error.ToString())
{
    /// <summary>What failed.</summary>
    public LinuxError Error { get; } = error;
}
