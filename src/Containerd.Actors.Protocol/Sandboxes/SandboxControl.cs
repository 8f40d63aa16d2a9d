// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Sandboxes;

/// <summary>A request for the controller that runs a sandbox.</summary>
public interface IForSandboxer : IForSandbox
{
    /// <summary>Name of the controller: <c>shim</c> or <c>podsandbox</c>.</summary>
    string Sandboxer { get; }

    /// <summary>Who asks.</summary>
    Caller By { get; }
}

/// <summary>Requests for what runs a sandbox. Each names the controller; one that another controller made is not found.</summary>
public static class SandboxControl
{
    /// <summary>Makes what the sandbox runs in, without starting it.</summary>
    public sealed record Create(string Namespace, string SandboxId, string Sandboxer, Caller By) : IRequest<Nothing>, IForSandboxer
    {
        /// <summary>The sandbox as the client knows it; null for the stored record.</summary>
        public SandboxRecord? Sandbox { get; init; }

        /// <summary>Mounts of the root file system, in order.</summary>
        public ImmutableArray<RootfsMount> Rootfs { get; init; } = [];

        /// <summary>Options for the sandbox, usually the pod's configuration.</summary>
        public AnyValue? Options { get; init; }

        /// <summary>Path of the network namespace; empty for none.</summary>
        public string NetworkNamespace { get; init; } = "";

        /// <summary>Annotations for the shim.</summary>
        public ImmutableSortedDictionary<string, string> Annotations { get; init; } = Labels.None;
    }

    /// <summary>Starts a sandbox that was made. If that fails, what was made is taken back.</summary>
    public sealed record Start(string Namespace, string SandboxId, string Sandboxer, Caller By) : IRequest<SandboxStart>, IForSandboxer;

    /// <summary>For which platform the sandbox runs containers.</summary>
    public sealed record Platform(string Namespace, string SandboxId, string Sandboxer, Caller By) : IRequest<SandboxPlatform>, IForSandboxer;

    /// <summary>Ends what runs in the sandbox; one that does not exist is stopped.</summary>
    public sealed record Stop(string Namespace, string SandboxId, string Sandboxer, uint TimeoutSeconds, Caller By)
        : IRequest<Nothing>, IForSandboxer;

    /// <summary>Answered when the sandbox has ended and that is stored; at once if it has.</summary>
    public sealed record Wait(string Namespace, string SandboxId, string Sandboxer, Caller By) : IRequest<SandboxExit>, IForSandboxer;

    /// <summary>What the sandbox is doing; one that does not exist has an empty status.</summary>
    public sealed record Status(string Namespace, string SandboxId, string Sandboxer, bool IsVerbose, Caller By)
        : IRequest<SandboxStatus>, IForSandboxer;

    /// <summary>Ends the sandbox and what serves it.</summary>
    public sealed record Shutdown(string Namespace, string SandboxId, string Sandboxer, Caller By) : IRequest<Nothing>, IForSandboxer;

    /// <summary>What the sandbox uses.</summary>
    public sealed record Metrics(string Namespace, string SandboxId, string Sandboxer, Caller By) : IRequest<SandboxMetric>, IForSandboxer;

    /// <summary>Changes what runs; no controller has anything to change.</summary>
    /// <param name="Namespace">Namespace of the sandbox.</param>
    /// <param name="SandboxId">The sandbox.</param>
    /// <param name="Sandboxer">Its controller.</param>
    /// <param name="Sandbox">The new values.</param>
    /// <param name="Mask">Paths of the fields that changed.</param>
    /// <param name="By">Who asks.</param>
    public sealed record Update(
        string Namespace, string SandboxId, string Sandboxer, SandboxRecord Sandbox, ImmutableArray<string> Mask, Caller By)
        : IRequest<Nothing>, IForSandboxer;
}

/// <summary>A sandbox that runs.</summary>
/// <param name="Pid">Id of its first process; 0 if it has none on this host.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Spec">The spec it runs with; null if it does not say.</param>
public sealed record SandboxStart(uint Pid, DateTimeOffset CreatedAt, AnyValue? Spec);

/// <summary>How a sandbox ended.</summary>
/// <param name="Status">0–255; 255 when nobody knows.</param>
/// <param name="ExitedAt">When.</param>
public sealed record SandboxExit(uint Status, DateTimeOffset ExitedAt);

/// <summary>For what a sandbox runs containers.</summary>
public sealed record SandboxPlatform(string Os, string Architecture, string Variant);

/// <summary>What a sandbox is doing.</summary>
/// <param name="SandboxId">The sandbox.</param>
public sealed record SandboxStatus(string SandboxId)
{
    /// <summary>Id of its first process; 0 if it has none.</summary>
    public uint Pid { get; init; }

    /// <summary>The controller's word, for example <c>SANDBOX_READY</c>.</summary>
    public string State { get; init; } = "";

    /// <summary>What the controller adds when asked to be verbose.</summary>
    public ImmutableSortedDictionary<string, string> Info { get; init; } = Labels.None;

    /// <summary>When it was made; null if it was not.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>When it ended; null if it has not.</summary>
    public DateTimeOffset? ExitedAt { get; init; }

    /// <summary>What the controller adds; null for nothing.</summary>
    public AnyValue? Extra { get; init; }

    /// <summary>Where containers of the sandbox reach its task API; empty if each has a shim of its own.</summary>
    public string Address { get; init; } = "";

    /// <summary>Version of that task API.</summary>
    public uint Version { get; init; }
}

/// <summary>What a sandbox uses.</summary>
/// <param name="Id">Whose numbers these are, as the controller says.</param>
/// <param name="At">When it was measured.</param>
/// <param name="Data">The numbers as the controller encodes them; null if it has none.</param>
public sealed record SandboxMetric(string Id, DateTimeOffset? At, AnyValue? Data);
