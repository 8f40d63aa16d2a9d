// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Mounts;

/// <summary>What follows from requests about activations.</summary>
public static class MountDecisions
{
    // containerd keeps the places of mounts in one byte.
    private const int MountsMax = 255;

    /// <summary>The activation, or its refusal.</summary>
    public static Reply<Activation> Activation(this NamespaceState state, string name) =>
        state.Activations.TryGetValue(name, out Activation? activation)
            ? Reply.Done(activation)
            : Reply.Refused<Activation>(Missing(name));

    /// <summary>Why this activation is refused before anything is mounted; null if it is not.</summary>
    public static Error? Refusal(this NamespaceState state, MountCommands.Activate command)
    {
        if (command.Name.Length == 0)
        {
            return Error.Invalid("mount name must not be empty");
        }

        if (command.Mounts.Length > MountsMax)
        {
            return Error.Invalid($"mount \"{command.Name}\": {command.Mounts.Length} mounts are more than {MountsMax}");
        }

        if (LabelRules.Validate(command.Labels) is { } badLabel)
        {
            return badLabel;
        }

        return state.Activations.ContainsKey(command.Name) ? Taken(command.Name) : LeaseRefusal(state, command.By.Lease);
    }

    /// <summary>Records an activation, kept by the lease of the caller.</summary>
    public static Decision<Activation> Decide(this NamespaceState state, ActivationCommands.Add command)
    {
        string lease = command.Caller.Lease;
        if (state.Activations.ContainsKey(command.Activation.Name))
        {
            return Decision.Refused<Activation>(Taken(command.Activation.Name));
        }

        if (LeaseRefusal(state, lease) is { } noLease)
        {
            return Decision.Refused<Activation>(noLease);
        }

        Activation activation = command.Activation with { Lease = lease, Labels = LabelRules.Kept(command.Activation.Labels) };
        return Decision.Done(activation, state.Opening(new MountEvents.Activated(activation)));
    }

    /// <summary>Removes the record of an activation.</summary>
    public static Decision<Activation> Decide(this NamespaceState state, ActivationCommands.Remove command) =>
        state.Activations.TryGetValue(command.Name, out Activation? activation)
            ? Decision.Done(activation, new MountEvents.Deactivated(command.Name, command.Reason))
            : Decision.Refused<Activation>(Missing(command.Name));

    private static Error? LeaseRefusal(NamespaceState state, string lease) =>
        lease.Length == 0 || state.Leases.ContainsKey(lease) ? null : Error.NotFound("lease does not exist");

    private static Error Taken(string name) => Error.AlreadyExists($"mount \"{name}\"");

    private static Error Missing(string name) => Error.NotFound($"mount \"{name}\" not found");
}
