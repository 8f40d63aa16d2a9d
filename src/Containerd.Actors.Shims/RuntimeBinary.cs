// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Shims;

/// <summary>From the name of a runtime to the shim's executable.</summary>
public static class RuntimeBinary
{
    /// <summary>How the names of all shims' executables begin.</summary>
    public const string Prefix = "containerd-shim-";

    /// <summary>The file name for a dotted runtime name: <c>io.containerd.runc.v2</c> is <c>containerd-shim-runc-v2</c>.</summary>
    /// <exception cref="RefusedException">InvalidArgument: not a dotted name.</exception>
    public static string NameOf(string runtime)
    {
        ArgumentNullException.ThrowIfNull(runtime);
        var parts = runtime.Split('.');
        if (runtime.Contains('/', StringComparison.Ordinal) || parts.Length < 2 || parts[0].Length == 0)
        {
            throw new RefusedException(Error.Invalid(
                $"invalid runtime name {runtime}, correct runtime name should be either format like "
                + "`io.containerd.runc.v2` or a full path to the binary"));
        }

        return $"{Prefix}{parts[^2]}-{parts[^1]}";
    }

    /// <summary>The absolute path of a runtime's shim.</summary>
    /// <param name="runtime">A dotted name or an absolute path; the latter must exist and is used as it is.</param>
    /// <param name="searchPath">Directories, as in <c>PATH</c>; searched first.</param>
    /// <param name="daemonDirectory">Directory of the daemon's executable; searched last.</param>
    /// <exception cref="RefusedException">The name is invalid, or no such file exists.</exception>
    public static string Resolve(string runtime, string searchPath, string daemonDirectory)
    {
        ArgumentNullException.ThrowIfNull(runtime);
        ArgumentNullException.ThrowIfNull(searchPath);
        if (runtime.Length == 0)
        {
            throw new RefusedException(Error.Unknown("no runtime name"));
        }

        if (runtime[0] == '/')
        {
            return File.Exists(runtime)
                ? runtime
                : throw new RefusedException(Error.Unknown($"invalid custom binary path: stat {runtime}: no such file or directory"));
        }

        var name = NameOf(runtime);
        foreach (var directory in searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Append(daemonDirectory))
        {
            var candidate = Path.Combine(directory, name);
            if (IsExecutable(candidate))
            {
                return Path.GetFullPath(candidate);
            }
        }

        throw new RefusedException(Error.Unknown($"runtime \"{runtime}\" binary not installed \"{name}\": file does not exist"));
    }

    /// <summary>Whether there is a program at that path.</summary>
    public static bool IsExecutable(string path) => File.Exists(path)
        && (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
}
