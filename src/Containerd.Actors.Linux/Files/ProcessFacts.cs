// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Tmds.Linux;

namespace Containerd.Actors.Linux.Files;

/// <summary>What file calls need to know of this process.</summary>
public static class ProcessFacts
{
    /// <summary>The file mode creation mask, read once: the process sets it before it extracts anything, or never.</summary>
    public static uint Umask { get; } = ReadUmask();

    /// <summary>True if ids of this process are mapped (user_namespaces(7)).</summary>
    public static bool InUserNamespace { get; } = ReadInUserNamespace();

    /// <summary>Owner and group of files this process creates.</summary>
    public static (uint User, uint Group) EffectiveIds => (LibC.geteuid(), LibC.getegid());

    private static uint ReadUmask()
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("Umask:", StringComparison.Ordinal))
            {
                return Convert.ToUInt32(line[6..].Trim(), 8);
            }
        }

        // Before Linux 4.7 the mask is not told without changing it; all bits make every mode be set by a call of its own.
        return 0x1FF;
    }

    private static bool ReadInUserNamespace()
    {
        const string map = "/proc/self/uid_map";
        if (!File.Exists(map))
        {
            return false;
        }

        string[] fields = File.ReadAllText(map).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return fields.Length != 3
            || fields[0] != "0"
            || fields[1] != "0"
            || fields[2] != uint.MaxValue.ToString(CultureInfo.InvariantCulture);
    }
}
