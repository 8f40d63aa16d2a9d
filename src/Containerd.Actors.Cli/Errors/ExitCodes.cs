// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Errors;

/// <summary>What the exit codes of cactl mean; of <c>run</c> and <c>exec</c> they are docker's.</summary>
internal static class ExitCodes
{
    /// <summary>A verb failed.</summary>
    public const int Failed = 1;

    /// <summary><c>run</c> or <c>exec</c> failed before there was a process.</summary>
    public const int NoProcess = 125;

    /// <summary>The command is there and cannot be executed.</summary>
    public const int NotExecutable = 126;

    /// <summary>The command is not there.</summary>
    public const int CommandNotFound = 127;

    /// <summary>Interrupted before there was a process.</summary>
    public const int Interrupted = 130;

    // What runc, crun and the kernel say about a command that is missing; the more specific texts stand first.
    private static readonly (string Text, int Code)[] StartFailures =
    [
        ("executable file not found", CommandNotFound),
        ("executable file `", CommandNotFound),
        ("exec format error", NotExecutable),
        ("is a directory", NotExecutable),
        ("permission denied", NotExecutable),
        ("no such file or directory", CommandNotFound),
    ];

    /// <summary>The exit code of a verb that starts processes, after the runtime refused with this text.</summary>
    public static int OfStart(string detail)
    {
        // Mounts fail with the same words; only what concerns the command counts as the command's.
        bool concernsCommand = !detail.Contains("mount", StringComparison.OrdinalIgnoreCase)
            && (detail.Contains("exec", StringComparison.OrdinalIgnoreCase)
                || detail.Contains("start", StringComparison.OrdinalIgnoreCase));
        if (concernsCommand)
        {
            foreach ((string text, int code) in StartFailures)
            {
                if (detail.Contains(text, StringComparison.OrdinalIgnoreCase))
                {
                    return code;
                }
            }
        }

        return NoProcess;
    }
}
