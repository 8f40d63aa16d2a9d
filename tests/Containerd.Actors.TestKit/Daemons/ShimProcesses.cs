// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>The shims on this machine, told apart by their command lines.</summary>
public static class ShimProcesses
{
    /// <summary>Those of the daemon at this address whose command lines name all of this too: a namespace, a container.</summary>
    public static IReadOnlyList<int> Of(string address, params string[] names)
    {
        List<int> found = [];
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && Arguments(pid) is { } arguments
                && arguments[0].Contains("containerd-shim", StringComparison.Ordinal) && arguments.Contains(address) && names.All(arguments.Contains))
            {
                found.Add(pid);
            }
        }

        return found;
    }

    private static string[]? Arguments(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
