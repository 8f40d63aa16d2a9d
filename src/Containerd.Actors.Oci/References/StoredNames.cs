// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Oci.References;

/// <summary>Under which names an image may be stored that a user calls by a short one.</summary>
public static class StoredNames
{
    /// <summary>The name as given, and with <c>:latest</c> where it has neither tag nor digest.</summary>
    public static IReadOnlyList<string> Candidates(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string last = name[(name.LastIndexOf('/') + 1)..];
        return last.Contains(':', StringComparison.Ordinal) || name.Contains('@', StringComparison.Ordinal)
            ? [name]
            : [name, name + ":latest"];
    }
}
