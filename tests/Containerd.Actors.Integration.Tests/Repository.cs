// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.TestKit.Daemons;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Where things are, and what this machine lacks for the tests that need it.</summary>
internal static class Repository
{
    public static string Top => Checkout.Top;

    /// <summary>Directory of the published binaries; CONTAINERD_ACTORS_BIN names another one.</summary>
    public static string Binaries { get; } = ActorsDaemon.Binaries;

    public static string Daemon => Path.Combine(Binaries, "containerd-actors");

    public static string Cactl => Path.Combine(Binaries, "cactl");

    /// <summary>Name of our shim.</summary>
    public const string Shim = "containerd-shim-actors-v1";

    /// <summary>Why tests of our shim cannot run here; empty when they can.</summary>
    public static string MissingShim => Missing.Length > 0 ? Missing
        : File.Exists(Path.Combine(Binaries, Shim)) ? "" : $"needs {Shim} beside the daemon";

    /// <summary>Why the tests cannot run here; empty when they can.</summary>
    public static string Missing { get; } = FindMissing();

    private static string FindMissing()
    {
        if (Environment.UserName != "root")
        {
            return "needs root";
        }

        string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        string[] tools = [.. new[] { "ctr", "containerd-shim-runc-v2", "runc", "docker-registry", "skopeo", "umoci", "busybox" }
            .Where(tool => !path.Any(directory => File.Exists(Path.Combine(directory, tool))))];
        return tools.Length > 0 ? $"needs {string.Join(", ", tools)}"
            : !File.Exists(Daemon) || !File.Exists(Cactl) ? $"needs {Binaries}: run scripts/build"
            : "";
    }
}
