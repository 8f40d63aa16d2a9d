// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Callers;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>Words for <see cref="PrincipalKind"/> in the table.</summary>
internal static class PrincipalColumns
{
    public static string Kind(PrincipalKind kind) => kind switch
    {
        PrincipalKind.User => "user",
        PrincipalKind.Policy => "policy",
        PrincipalKind.Kernel => "kernel",
        PrincipalKind.Actor => "actor",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>The kind a word stands for; null for a word nobody writes.</summary>
    public static PrincipalKind? Kind(string word) => word switch
    {
        "user" => PrincipalKind.User,
        "policy" => PrincipalKind.Policy,
        "kernel" => PrincipalKind.Kernel,
        "actor" => PrincipalKind.Actor,
        _ => null,
    };
}
