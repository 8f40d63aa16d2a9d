// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Protocol.Callers;

/// <summary>What kind of party is behind a change.</summary>
public enum PrincipalKind
{
    /// <summary>A process on this host, known by its socket credentials.</summary>
    User,

    /// <summary>A rule, for example garbage collection or a restart policy.</summary>
    Policy,

    /// <summary>The kernel or a shim speaking for it: a process ended, memory ran out.</summary>
    Kernel,

    /// <summary>The daemon itself, for example while recovering.</summary>
    Actor,
}

/// <summary>On whose behalf something happens.</summary>
/// <param name="Kind">What kind of party.</param>
/// <param name="Uid">User id of the socket's peer; 0 unless <see cref="PrincipalKind.User"/>.</param>
/// <param name="Gid">Group id of the socket's peer.</param>
/// <param name="Pid">Process id of the socket's peer.</param>
/// <param name="Executable">Path of the peer's executable; empty when it could not be read.</param>
/// <param name="Name">Name of the policy or path of the actor; empty for users.</param>
/// <remarks>unix(7), SO_PEERCRED: the credentials are those of the moment of connect(2).</remarks>
public sealed record Principal(PrincipalKind Kind, uint Uid, uint Gid, int Pid, string Executable, string Name)
{
    /// <summary>The kernel, or a shim speaking for it.</summary>
    public static Principal Kernel { get; } = new(PrincipalKind.Kernel, 0, 0, 0, "", "");

    /// <summary>A rule of this name.</summary>
    public static Principal Policy(string name) => new(PrincipalKind.Policy, 0, 0, 0, "", name);

    /// <summary>The daemon, in the actor of this path.</summary>
    public static Principal Actor(string path) => new(PrincipalKind.Actor, 0, 0, 0, "", path);

    /// <summary>A process on this host.</summary>
    public static Principal User(uint uid, uint gid, int pid, string executable) =>
        new(PrincipalKind.User, uid, gid, pid, executable, "");
}
