// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.TestKit.Programs;

/// <summary>The sources that this was built from.</summary>
public static class Checkout
{
    /// <summary>Their topmost directory.</summary>
    public static string Top { get; } = FindTop();

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
