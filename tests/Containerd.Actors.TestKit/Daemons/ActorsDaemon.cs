// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.TestKit.Programs;

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>This product's daemon, with a configuration of one's own.</summary>
public class ActorsDaemon : ServedDaemon
{
    /// <inheritdoc />
    public override string Missing { get; } =
        Environment.UserName != "root" ? "needs root" : File.Exists(Binary) ? "" : $"needs {Binary}: run scripts/build";

    /// <summary>HOCON that overrides the reference; empty for none.</summary>
    public virtual string Configuration => "";

    /// <summary>Where the published binaries are.</summary>
    public static string Binaries => Environment.GetEnvironmentVariable("CONTAINERD_ACTORS_BIN") ?? Path.Combine(Checkout.Top, "out", "bin");

    private static string Binary => Path.Combine(Binaries, "containerd-actors");

    /// <inheritdoc />
    protected override ProcessStartInfo Command()
    {
        string file = Path.Combine(Work, "daemon.conf");
        File.WriteAllText(file, Configuration + "\n");
        return new ProcessStartInfo(Binary, ["--address", Address, "--root", Root, "--state", State, "--config", file, "--log-level", "error"]);
    }
}
