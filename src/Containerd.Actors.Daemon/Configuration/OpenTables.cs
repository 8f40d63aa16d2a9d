// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Daemon.Configuration;

/// <summary>Tables of the configuration whose entries the operator names; the reference has them empty.</summary>
internal static class OpenTables
{
    private static readonly (string Table, string[] Keys)[] All =
    [
        ("containerd.proxy-plugins", ["type", "address", "platforms", "capabilities", "exports.*", "call-timeout", "operations-max"]),
        ("containerd.shims.instead", ["*"]),
        ("containerd.stream-processors", ["accepts", "returns", "path", "args", "env"]),
    ];

    /// <summary>True for a key that an entry of such a table may have.</summary>
    public static bool Has(string key) => All.Any(open => key.StartsWith(open.Table + ".", StringComparison.Ordinal)
        && open.Keys.Any(name => IsOf(key[(open.Table.Length + 1)..], name)));

    // The name of an entry may have dots in it, so the end of the key tells.
    private static bool IsOf(string entry, string name) => name == "*" || (name.EndsWith(".*", StringComparison.Ordinal)
        ? entry.IndexOf($".{name[..^1]}", StringComparison.Ordinal) > 0
        : entry.EndsWith($".{name}", StringComparison.Ordinal) && entry.Length > name.Length + 1);
}
