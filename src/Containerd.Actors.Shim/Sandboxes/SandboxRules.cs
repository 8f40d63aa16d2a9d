// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Ttrpc;

namespace Containerd.Actors.Shim.Sandboxes;

/// <summary>Where a sandbox stands.</summary>
internal enum SandboxPhase
{
    /// <summary>There is none of that id.</summary>
    Absent,

    /// <summary>It waits to be started.</summary>
    Created,

    /// <summary>It runs.</summary>
    Ready,

    /// <summary>It ended; how is kept until it is shut down.</summary>
    Ended,
}

/// <summary>What may be asked of a sandbox. Its platform is the host's, whoever asks.</summary>
internal enum SandboxCall
{
    /// <summary>Make it.</summary>
    Create,

    /// <summary>Start it.</summary>
    Start,

    /// <summary>End what runs in it; once more is no failure.</summary>
    Stop,

    /// <summary>Tell how it ended, once it has.</summary>
    Wait,

    /// <summary>Tell what it is doing.</summary>
    Status,

    /// <summary>Tell what it uses.</summary>
    Metrics,

    /// <summary>Give a sign of life.</summary>
    Ping,

    /// <summary>Remove it and end the shim; once more is no failure.</summary>
    Shutdown,
}

/// <summary>What is legal when. The words are containerd's.</summary>
/// <remarks>
/// <code>
/// absent --Create--> created --Start--> ready --Stop, or its process ends--> ended
///    ^                  |                                                     ^ |
///    |                  +------------------------ Stop -----------------------+ |
///    +--------------------------- Shutdown, from any -----------------------------+
/// </code>
/// </remarks>
internal static class SandboxRules
{
    /// <summary>Why a call is refused; null if it is not.</summary>
    public static TtrpcStatusException? Refusal(SandboxCall call, SandboxPhase phase, string id) => (call, phase) switch
    {
        (SandboxCall.Create, SandboxPhase.Absent) => null,
        (SandboxCall.Create, _) => new TtrpcStatusException(TtrpcCode.AlreadyExists, $"sandbox {id} already running: already exists"),
        (SandboxCall.Shutdown, _) => null,
        (_, SandboxPhase.Absent) => new TtrpcStatusException(TtrpcCode.NotFound, $"sandbox {id}: not found"),
        (SandboxCall.Start, SandboxPhase.Ready) => Precondition($"sandbox {id} runs already"),
        (SandboxCall.Start, SandboxPhase.Ended) => Precondition($"sandbox {id} has ended"),
        _ => null,
    };

    /// <summary>The state as clients of containerd read it.</summary>
    public static string StateOf(SandboxPhase phase) => phase == SandboxPhase.Ready ? "SANDBOX_READY" : "SANDBOX_NOTREADY";

    /// <summary>The refusal of what is not possible now.</summary>
    public static TtrpcStatusException Precondition(string text) => new(TtrpcCode.FailedPrecondition, $"{text}: failed precondition");
}
