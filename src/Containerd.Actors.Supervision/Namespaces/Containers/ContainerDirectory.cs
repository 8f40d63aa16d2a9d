// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Namespaces.Containers;

/// <summary>What every container of a namespace and its task are, as they last told; immutable.</summary>
internal sealed record ContainerDirectory(
    ImmutableSortedDictionary<string, ContainerRecord> Records, ImmutableSortedDictionary<string, ProcessRecord> Tasks)
{
    internal static ContainerDirectory Empty { get; } = new(
        ImmutableSortedDictionary.Create<string, ContainerRecord>(StringComparer.Ordinal),
        ImmutableSortedDictionary.Create<string, ProcessRecord>(StringComparer.Ordinal));

    internal ContainerDirectory With(string id, ContainerRecord? record) =>
        this with { Records = record is null ? Records.Remove(id) : Records.SetItem(id, record) };

    internal ContainerDirectory With(ContainerSignals.TaskChanged changed) => this with
    {
        Tasks = changed.Init is { } init ? Tasks.SetItem(changed.ContainerId, init) : Tasks.Remove(changed.ContainerId),
    };

    internal ImmutableArray<ContainerRecord> ListContainers() => [.. Records.Values];

    internal ImmutableArray<ProcessRecord> ListTasks() => [.. Tasks.Values];
}
