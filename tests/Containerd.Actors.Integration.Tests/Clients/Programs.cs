// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Integration.Tests.Clients;

/// <summary>Clients of containerd that a machine may have, found on the path or where a variable says.</summary>
internal static class Programs
{
    /// <summary>dockerd; CONTAINERD_ACTORS_DOCKERD names another one. Null: there is none.</summary>
    public static string? Dockerd { get; } = Find("CONTAINERD_ACTORS_DOCKERD", "dockerd");

    /// <summary>The client of dockerd; Debian's before any other of the name.</summary>
    public static string? Docker { get; } = Find("CONTAINERD_ACTORS_DOCKER", "/usr/bin/docker") ?? Find("CONTAINERD_ACTORS_DOCKER", "docker");

    /// <summary>A ctr of containerd 2, which pulls through the transfer service; CONTAINERD_ACTORS_CTR2 names it. Null: there is none.</summary>
    public static string? Ctr2 { get; } = FindCtr2();

    private static string? FindCtr2() =>
        Find("CONTAINERD_ACTORS_CTR2", "ctr") is { } ctr && Command.RunAsync(ctr, "--version").Result.Output.Contains("/v2 ", StringComparison.Ordinal) ? ctr : null;

    private static string? Find(string variable, string name) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named
        ? named
        : Path.IsPathRooted(name) ? (File.Exists(name) ? name : null)
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
}
