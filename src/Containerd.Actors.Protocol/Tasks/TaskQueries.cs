// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Tasks;

/// <summary>Questions about tasks. The empty exec id means the task's own first process.</summary>
public static class TaskQueries
{
    /// <summary>One process as it stands; never waits for the shim.</summary>
    public sealed record Get(string Namespace, string ContainerId, string ExecId, Caller By) : IRequest<ProcessRecord>, IForContainer;

    /// <summary>The first process of every task of a namespace, sorted by container id; never waits for a shim.</summary>
    public sealed record List(string Namespace, Caller By) : IRequest<ImmutableArray<ProcessRecord>>, IInNamespace;

    /// <summary>Answered once the process has ended and that is stored; at once if it has.</summary>
    public sealed record Wait(string Namespace, string ContainerId, string ExecId, Caller By) : IRequest<ProcessExit>, IForContainer;

    /// <summary>Ids of all processes in the container.</summary>
    public sealed record Pids(string Namespace, string ContainerId, Caller By) : IRequest<ImmutableArray<PidRecord>>, IForContainer;

    /// <summary>What the task uses, as the shim encodes it.</summary>
    public sealed record Stats(string Namespace, string ContainerId, Caller By) : IRequest<TaskMetric>, IForContainer;
}

/// <summary>What others saw of a task and hand on.</summary>
public static class TaskSignals
{
    /// <summary>An event a shim forwarded.</summary>
    /// <param name="Namespace">Namespace of the container.</param>
    /// <param name="ContainerId">The container.</param>
    /// <param name="Topic">Topic, for example <c>/tasks/exit</c>.</param>
    /// <param name="Payload">The event as it was encoded.</param>
    public sealed record Forwarded(string Namespace, string ContainerId, string Topic, AnyValue Payload) : IForContainer;
}
