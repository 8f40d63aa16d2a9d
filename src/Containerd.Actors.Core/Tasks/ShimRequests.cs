// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tasks;

/// <summary>Something a task asks of its shim, as data.</summary>
public abstract record ShimRequest
{
    /// <summary>What is asked, in one word, for texts.</summary>
    public string Name => GetType().Name;
}

/// <summary>What a task asks of its shim. The empty exec id means the first process.</summary>
public static class ShimRequests
{
    /// <summary>Make a bundle, start a shim and create the first process; undo all of it on failure.</summary>
    public sealed record Create(TaskCreation Creation) : ShimRequest;

    /// <summary>Let a created process run.</summary>
    public sealed record Start(string ExecId) : ShimRequest;

    /// <summary>Describe a further process.</summary>
    public sealed record Exec(string ExecId, AnyValue Spec, ProcessStdio Stdio) : ShimRequest;

    /// <summary>Send a signal.</summary>
    public sealed record Kill(string ExecId, uint Signal, bool All) : ShimRequest;

    /// <summary>Freeze all processes.</summary>
    public sealed record Pause : ShimRequest;

    /// <summary>Let frozen processes run again.</summary>
    public sealed record Resume : ShimRequest;

    /// <summary>Change limits.</summary>
    public sealed record Update(AnyValue Resources, ImmutableSortedDictionary<string, string> Annotations) : ShimRequest;

    /// <summary>Set the size of a terminal.</summary>
    public sealed record ResizePty(string ExecId, uint Width, uint Height) : ShimRequest;

    /// <summary>Close the shim's end of a process's input.</summary>
    public sealed record CloseIO(string ExecId, bool Stdin) : ShimRequest;

    /// <summary>Write an image of the processes.</summary>
    public sealed record Checkpoint(string Path, AnyValue? Options) : ShimRequest;

    /// <summary>Forget a further process.</summary>
    public sealed record DeleteProcess(string ExecId) : ShimRequest;

    /// <summary>Forget the task; end the shim, remove bundle and mounts.</summary>
    public sealed record Delete : ShimRequest;

    /// <summary>Take back a creation that a crash interrupted: kill what there is, end the shim, remove bundle and mounts.</summary>
    public sealed record Undo(string RuntimeName) : ShimRequest;

    /// <summary>Say what is true of the first process and of these.</summary>
    public sealed record Report(ImmutableArray<string> ExecIds) : ShimRequest;
}

/// <summary>A request to create a task together with the container it is for.</summary>
/// <param name="Command">The request.</param>
/// <param name="Container">The container's record at that moment.</param>
/// <param name="Bundle">Directory that will hold the bundle.</param>
public sealed record TaskCreation(TaskCommands.Create Command, ContainerRecord Container, string Bundle)
{
    /// <summary>Name of runc's shim, whose options have a known type.</summary>
    public const string Runc = "io.containerd.runc.v2";

    /// <summary>Type of the options for an image of processes.</summary>
    public const string CheckpointOptions = "containerd.runc.v1.CheckpointOptions";

    private const string RuncOptions = "containerd.runc.v1.Options";

    /// <summary>What it is restored from, for people: a directory or a digest; empty for a fresh start.</summary>
    public string CheckpointName => Command.Checkpoint?.Digest.ToString() ?? Command.CheckpointPath;

    /// <summary>The sandbox of the container, if it exists: its shim may serve the task. Empty for none.</summary>
    public string SandboxId { get; init; } = "";

    /// <summary>Runtime name or shim path that applies.</summary>
    public string RuntimeName => Command.RuntimePath.Length > 0 ? Command.RuntimePath : Container.RuntimeName;

    /// <summary>Options that apply: the request's if it has any, otherwise the container's.</summary>
    public AnyValue? Options => Command.Options is { Value.IsEmpty: false } given ? given : Container.RuntimeOptions;

    /// <summary>True when the request's options are of another type than the daemon decodes.</summary>
    public bool HasForeignOptions => IsForeign(Command.Options) || (RuntimeName == Runc && IsForeign(Options));

    /// <summary>True for options that have a value and are of another type.</summary>
    public static bool IsOther(AnyValue? options, string type) =>
        options is { Value.IsEmpty: false } && options.TypeUrl[(options.TypeUrl.LastIndexOf('/') + 1)..] != type;

    private static bool IsForeign(AnyValue? options) => IsOther(options, RuncOptions);
}
