// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Masks;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Namespaces;

/// <summary>What follows from requests that change a namespace itself.</summary>
public static class NamespaceDecisions
{
    /// <summary>Makes the namespace; refused for a bad name, long labels, or if it exists.</summary>
    public static Decision<NamespaceState> Decide(this NamespaceState state, NamespaceCommands.Create command)
    {
        if (Identifiers.Validate(state.Name) is { } badName)
        {
            return Decision.Refused<NamespaceState>(badName);
        }

        if (LabelRules.Validate(command.Labels) is { } badLabel)
        {
            return Decision.Refused<NamespaceState>(badLabel.While("namespace.Labels"));
        }

        return state.Exists
            ? Decision.Refused<NamespaceState>(Error.AlreadyExists($"namespace \"{state.Name}\""))
            : Answered(state, new NamespaceEvents.Created(LabelRules.Kept(command.Labels)));
    }

    /// <summary>Changes labels; makes the namespace if it does not exist.</summary>
    public static Decision<NamespaceState> Decide(this NamespaceState state, NamespaceCommands.Update command)
    {
        if (Identifiers.Validate(state.Name) is { } badName)
        {
            return Decision.Refused<NamespaceState>(badName);
        }

        return LabelMask.Namespace(state.Labels, command.Labels, command.Mask) switch
        {
            Refused<ImmutableSortedDictionary<string, string>> refused => Decision.Refused<NamespaceState>(refused.Error),
            Reply<ImmutableSortedDictionary<string, string>> labels when state.Exists =>
                Answered(state, new NamespaceEvents.Updated(labels.Value)),
            Reply<ImmutableSortedDictionary<string, string>> labels => Answered(state, new NamespaceEvents.Created(labels.Value)),
        };
    }

    /// <summary>Removes the namespace; refused if anything but leases is in it.</summary>
    /// <param name="state">The namespace.</param>
    /// <param name="command">The request.</param>
    /// <param name="containers">How many containers it has.</param>
    public static Decision<Nothing> Decide(this NamespaceState state, NamespaceCommands.Delete command, int containers)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (!state.Exists)
        {
            return Decision.Refused<Nothing>(Error.NotFound($"namespace \"{state.Name}\""));
        }

        List<string> still = [];
        if (!state.Images.IsEmpty)
        {
            still.Add("images");
        }

        if (!state.Content.IsEmpty)
        {
            still.Add("blobs");
        }

        if (containers > 0)
        {
            still.Add("containers");
        }

        still.AddRange(state.Snapshots.Keys.Select(name => name.Snapshotter).Distinct().Select(
            snapshotter => $"snapshots on \"{snapshotter}\" snapshotter"));
        return still.Count == 0
            ? Decision.Done([new NamespaceEvents.Deleted()])
            : Decision.Refused<Nothing>(Error.FailedPrecondition(
                $"namespace \"{state.Name}\" must be empty, but it still has {string.Join(", ", still)}"));
    }

    /// <summary>Makes the namespace if the container is the first write in it.</summary>
    public static Decision<Nothing> Decide(this NamespaceState state, ContainerRoots.Set command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return state.Exists ? Decision.Done() : Decision.Done([new NamespaceEvents.Created(Protocol.Values.Labels.None)]);
    }

    private static Decision<NamespaceState> Answered(NamespaceState state, DomainEvent e) => Decision.Done(state.Apply(e), e);
}
