// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>The identity of a root directory: random, made once, kept as containerd keeps it.</summary>
public static class Uuid
{
    /// <summary>Reads it, or makes and stores it.</summary>
    public static string Of(string root)
    {
        string file = Path.Combine(root, "io.containerd.grpc.v1.introspection", "uuid");
        if (File.Exists(file) && Guid.TryParse(File.ReadAllText(file), out Guid known))
        {
            return known.ToString();
        }

        string made = Guid.NewGuid().ToString();
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, made);
        return made;
    }
}
