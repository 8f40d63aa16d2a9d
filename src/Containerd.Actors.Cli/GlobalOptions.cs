// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Client.Connections;

namespace Containerd.Actors.Cli;

/// <summary>Options that every verb takes.</summary>
internal sealed class GlobalOptions
{
    public Option<string> Address { get; } = new("--address")
    {
        Description = "Socket of the daemon [env: CONTAINERD_ADDRESS]",
        HelpName = "PATH",
        Recursive = true,
        DefaultValueFactory = _ => FromEnvironment("CONTAINERD_ADDRESS", ContainerdConnection.DefaultAddress),
    };

    public Option<string> Namespace { get; } = new("--namespace", "-n")
    {
        Description = "Namespace to act in [env: CONTAINERD_NAMESPACE]",
        HelpName = "NAME",
        Recursive = true,
        DefaultValueFactory = _ => FromEnvironment("CONTAINERD_NAMESPACE", ContainerdConnection.DefaultNamespace),
    };

    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Print JSON: one document, or one per line where output is a stream",
        Recursive = true,
    };

    private static string FromEnvironment(string name, string fallback) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : fallback;
}
