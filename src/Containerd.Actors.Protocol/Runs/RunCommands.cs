// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Runs;

/// <summary>A message for the runs of a namespace.</summary>
public interface IForRuns : IInNamespace;

/// <summary>Containers that are made, run and removed by one request.</summary>
public static class RunCommands
{
    /// <summary>
    /// Makes a container of an image and starts it. Whoever asks gets <see cref="RunProgress"/>s and at last a reply: after the end of the
    /// process, and after the removal where one is wanted. An asker that is gone before the start has given up, and nothing is left; one
    /// that is gone later only hears no more.
    /// </summary>
    /// <param name="Namespace">Namespace that has the image and gets the container.</param>
    /// <param name="Wish">What is to run.</param>
    /// <param name="By">On whose behalf.</param>
    public sealed record Run(string Namespace, RunWish Wish, Caller By) : IRequest<Nothing>, IForRuns;
}

/// <summary>A container as it is wanted.</summary>
/// <param name="Id">Id of the container, which must be free.</param>
/// <param name="Image">Name of the image; without tag and digest also with <c>:latest</c>.</param>
public sealed record RunWish(string Id, string Image)
{
    /// <summary>Where the image is unpacked.</summary>
    public required string Snapshotter { get; init; }

    /// <summary>Name of the runtime, or absolute path of a shim.</summary>
    public required string RuntimeName { get; init; }

    /// <summary>Options for the runtime; null for none.</summary>
    public AnyValue? RuntimeOptions { get; init; }

    /// <summary>Labels over those of the image.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = Values.Labels.None;

    /// <summary>What is asked for beside the image, of which nothing is known here.</summary>
    public RuntimeSpecOptions Spec { get; init; } = new();

    /// <summary>Where the process reads and writes.</summary>
    public ProcessStdio Stdio { get; init; } = new("", "", "", false);

    /// <summary>Size of the terminal before the process starts, in characters; null leaves it.</summary>
    public (uint Width, uint Height)? TerminalSize { get; init; }

    /// <summary>True to remove the container when it has ended, whoever still waits.</summary>
    public bool Removes { get; init; }
}

/// <summary>How far a run is.</summary>
/// <param name="Stages">What was done since the last time, in its order.</param>
public abstract record RunProgress(ImmutableArray<RunStage> Stages)
{
    /// <summary>The process runs.</summary>
    public sealed record Started(uint Pid, ImmutableArray<RunStage> Stages) : RunProgress(Stages);

    /// <summary>The process has ended.</summary>
    public sealed record Exited(ProcessExit Exit, ImmutableArray<RunStage> Stages) : RunProgress(Stages);

    /// <summary>Nothing of the container is left.</summary>
    public sealed record Removed(ImmutableArray<RunStage> Stages) : RunProgress(Stages);
}

/// <summary>A stage of a run that is over.</summary>
/// <param name="Name">Its name, for people.</param>
/// <param name="Took">How long it took.</param>
public sealed record RunStage(string Name, TimeSpan Took);
