// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Protocol.Callers;

/// <summary>Who asks, as part of which operation.</summary>
/// <param name="Principal">On whose behalf.</param>
/// <param name="Operation">Operation id chosen by the client (metadata <c>containerd-actors-operation</c>); empty if none.</param>
/// <param name="Trace">W3C trace id; empty if none.</param>
/// <param name="Lease">Lease that keeps what this request creates (metadata <c>containerd-lease</c>); empty if none.</param>
public sealed record Caller(Principal Principal, string Operation = "", string Trace = "", string Lease = "")
{
    /// <summary>The kernel, or a shim speaking for it.</summary>
    public static Caller Kernel { get; } = new(Principal.Kernel);

    /// <summary>A rule of this name.</summary>
    public static Caller Policy(string name) => new(Principal.Policy(name));

    /// <summary>The daemon, in the actor of this path.</summary>
    public static Caller Actor(string path) => new(Principal.Actor(path));
}
