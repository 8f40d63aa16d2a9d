// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Tasks;

/// <summary>Requests that change a task or one of its processes. The empty exec id means the task's own first process.</summary>
public static class TaskCommands
{
    /// <summary>Starts a shim and has it create the first process, which then waits for <see cref="Start"/>; answered with its id.</summary>
    /// <param name="Namespace">Namespace of the container.</param>
    /// <param name="ContainerId">The container.</param>
    /// <param name="Rootfs">Mounts of the root file system, in order; empty when the spec names a directory.</param>
    /// <param name="Stdio">Where the process reads and writes.</param>
    /// <param name="By">Who asks.</param>
    public sealed record Create(string Namespace, string ContainerId, ImmutableArray<RootfsMount> Rootfs, ProcessStdio Stdio, Caller By)
        : IRequest<uint>, IForContainer
    {
        /// <summary>Image of processes to restore from; null for a fresh start.</summary>
        public Descriptor? Checkpoint { get; init; }

        /// <summary>Directory to restore from; empty for a fresh start.</summary>
        public string CheckpointPath { get; init; } = "";

        /// <summary>Options for the runtime; the container's own apply when null or empty.</summary>
        public AnyValue? Options { get; init; }

        /// <summary>Runtime name or shim path instead of the container's; empty for the container's.</summary>
        public string RuntimePath { get; init; } = "";

        /// <summary>Address of a sandbox's shim that is to serve the task; empty for a shim of its own.</summary>
        public string TaskApiAddress { get; init; } = "";

        /// <summary>Version of the task API at <see cref="TaskApiAddress"/>.</summary>
        public uint TaskApiVersion { get; init; }
    }

    /// <summary>Lets a created process run; answered with its id.</summary>
    public sealed record Start(string Namespace, string ContainerId, string ExecId, Caller By) : IRequest<uint>, IForContainer;

    /// <summary>Forgets a task that ended or never ran; removes shim, bundle and mounts.</summary>
    public sealed record Delete(string Namespace, string ContainerId, Caller By) : IRequest<ProcessExit>, IForContainer;

    /// <summary>Forgets a further process that ended or never ran.</summary>
    public sealed record DeleteProcess(string Namespace, string ContainerId, string ExecId, Caller By)
        : IRequest<ProcessExit>, IForContainer;

    /// <summary>Describes a further process; it runs after <see cref="Start"/>.</summary>
    /// <param name="Namespace">Namespace of the container.</param>
    /// <param name="ContainerId">The container.</param>
    /// <param name="ExecId">Name of the process, unique in the task.</param>
    /// <param name="Spec">The OCI process as JSON.</param>
    /// <param name="Stdio">Where it reads and writes.</param>
    /// <param name="By">Who asks.</param>
    public sealed record Exec(string Namespace, string ContainerId, string ExecId, AnyValue? Spec, ProcessStdio Stdio, Caller By)
        : IRequest<Nothing>, IForContainer;

    /// <summary>Sends a signal to a process, or with <paramref name="All"/> to every process of the container.</summary>
    public sealed record Kill(string Namespace, string ContainerId, string ExecId, uint Signal, bool All, Caller By)
        : IRequest<Nothing>, IForContainer;

    /// <summary>Freezes all processes.</summary>
    public sealed record Pause(string Namespace, string ContainerId, Caller By) : IRequest<Nothing>, IForContainer;

    /// <summary>Lets frozen processes run again.</summary>
    public sealed record Resume(string Namespace, string ContainerId, Caller By) : IRequest<Nothing>, IForContainer;

    /// <summary>Changes limits.</summary>
    /// <param name="Namespace">Namespace of the container.</param>
    /// <param name="ContainerId">The container.</param>
    /// <param name="Resources">OCI LinuxResources as JSON.</param>
    /// <param name="Annotations">Passed on to the shim.</param>
    /// <param name="By">Who asks.</param>
    public sealed record Update(
        string Namespace, string ContainerId, AnyValue? Resources, ImmutableSortedDictionary<string, string> Annotations, Caller By)
        : IRequest<Nothing>, IForContainer;

    /// <summary>Sets the size of a process's terminal, in characters; without a terminal nothing happens.</summary>
    public sealed record ResizePty(string Namespace, string ContainerId, string ExecId, uint Width, uint Height, Caller By)
        : IRequest<Nothing>, IForContainer;

    /// <summary>Closes the shim's end of a process's input, so that the process sees its end once the client has closed its own.</summary>
    public sealed record CloseIO(string Namespace, string ContainerId, string ExecId, bool Stdin, Caller By)
        : IRequest<Nothing>, IForContainer;

    /// <summary>Writes an image of the processes.</summary>
    /// <param name="Namespace">Namespace of the container.</param>
    /// <param name="ContainerId">The container.</param>
    /// <param name="Path">Directory to write to, on this host.</param>
    /// <param name="Options">Options for the runtime.</param>
    /// <param name="By">Who asks.</param>
    public sealed record Checkpoint(string Namespace, string ContainerId, string Path, AnyValue? Options, Caller By)
        : IRequest<Nothing>, IForContainer;
}
