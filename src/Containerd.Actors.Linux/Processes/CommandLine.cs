// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Containerd.Actors.Linux.Processes;

/// <summary>The command line of this process as others see it: <c>/proc/self/cmdline</c>, which is this process's own memory (proc(5)).</summary>
public static class CommandLine
{
    // proc_pid_stat(5): arg_start and arg_end are fields 48 and 49; counting begins after the name, which is field 2.
    private const int StartField = 48 - 3;
    private const int EndField = 49 - 3;

    /// <summary>Bytes that a command line of these arguments takes.</summary>
    public static int SizeOf(IEnumerable<string> arguments) => arguments.Sum(argument => Encoding.UTF8.GetByteCount(argument) + 1);

    /// <summary>Shows other arguments from now on. False, and nothing changes, when they need more room than the process was started with.</summary>
    public static unsafe bool TryShow(IReadOnlyCollection<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        string stat = File.ReadAllText("/proc/self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        nint start = nint.Parse(fields[StartField], CultureInfo.InvariantCulture);
        nint end = nint.Parse(fields[EndField], CultureInfo.InvariantCulture);
        Span<byte> room = new((void*)start, (int)(end - start));
        if (start == 0 || SizeOf(arguments) > room.Length)
        {
            return false;
        }

        room.Clear();
        foreach (string argument in arguments)
        {
            room = room[(Encoding.UTF8.GetBytes(argument, room) + 1)..];
        }

        return true;
    }
}
