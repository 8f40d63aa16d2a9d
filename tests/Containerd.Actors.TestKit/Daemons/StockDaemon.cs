// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>containerd itself, as the machine's package has it: the judge of the contracts.</summary>
public sealed class StockDaemon : ServedDaemon
{
    private const string Binary = "/usr/bin/containerd";

    /// <inheritdoc />
    public override string Missing { get; } =
        Environment.UserName != "root" ? "needs root" : File.Exists(Binary) ? "" : $"needs {Binary}: run scripts/setup";

    /// <inheritdoc />
    protected override ProcessStartInfo Command()
    {
        string file = Path.Combine(Work, "config.toml");
        File.WriteAllText(file, $"""
            version = 2
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [ttrpc]
              address = "{Address}.ttrpc"
            """);
        return new ProcessStartInfo(
            Binary, ["--config", file, "--address", Address, "--root", Root, "--state", State, "--log-level", "fatal"]);
    }
}
