// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Architecture.Tests;

/// <summary>The working tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Top { get; } = FindTop();

    /// <summary>C# files below a folder, without what builds leave.</summary>
    public static IEnumerable<string> Sources(string folder) => Directory
        .EnumerateFiles(Path.Combine(Top, folder), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    private static string FindTop()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Containerd.Actors.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("the repository was not found");
    }
}
