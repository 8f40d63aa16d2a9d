// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Masks;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Content;

/// <summary>What follows from requests about content.</summary>
public static class ContentDecisions
{
    /// <summary>The blob as this namespace sees it, or the refusal.</summary>
    public static Reply<ContentRecord> Content(this NamespaceState state, Digest digest) =>
        state.Content.TryGetValue(digest, out ContentRecord? content)
            ? Reply.Done(content)
            : Reply.Refused<ContentRecord>(Missing(digest));

    /// <summary>Makes a blob visible, or lets the caller's lease keep the one that is.</summary>
    public static Decision<ContentRecord> Decide(this NamespaceState state, ContentCommands.Add command, DateTimeOffset at)
    {
        string lease = command.Caller.Lease;
        if (state.Attaching(lease, LeaseResources.Content(command.Digest), out ImmutableArray<DomainEvent> attach) is { } noLease)
        {
            return Decision.Refused<ContentRecord>(noLease);
        }

        ImmutableArray<DomainEvent> leasing = command.Ingest.Length == 0
            ? attach
            : [.. attach, .. state.Detaching(lease, LeaseResources.Ingest(command.Ingest))];
        if (state.Content.ContainsKey(command.Digest))
        {
            return new Decision<ContentRecord>(
                leasing, Reply.Refused<ContentRecord>(Error.AlreadyExists($"content {command.Digest}")));
        }

        if (LabelRules.Validate(command.Labels) is { } badLabel)
        {
            return Decision.Refused<ContentRecord>(badLabel);
        }

        var content = new ContentRecord(command.Digest, command.Size, LabelRules.Kept(command.Labels), at, at);
        return Decision.Done(content, state.Opening([new ContentEvents.Added(content), .. leasing]));
    }

    /// <summary>Lets the caller's lease keep a visible blob.</summary>
    public static Decision<ContentRecord> Decide(this NamespaceState state, ContentCommands.Attach command)
    {
        if (!state.Content.TryGetValue(command.Digest, out ContentRecord? content))
        {
            return Decision.Refused<ContentRecord>(Missing(command.Digest));
        }

        return state.Attaching(command.Caller.Lease, LeaseResources.Content(command.Digest), out var attach) is { } noLease
            ? Decision.Refused<ContentRecord>(noLease)
            : Decision.Done(content, attach);
    }

    /// <summary>Lets the caller's lease keep an ingest.</summary>
    public static Decision<Nothing> Decide(this NamespaceState state, ContentCommands.AttachIngest command) =>
        state.Attaching(command.Caller.Lease, LeaseResources.Ingest(command.Ingest), out var attach) is { } noLease
            ? Decision.Refused<Nothing>(noLease)
            : Decision.Done(attach);

    /// <summary>Takes an ingest out of the caller's lease.</summary>
    public static Decision<Nothing> Decide(this NamespaceState state, ContentCommands.DetachIngest command) =>
        Decision.Done(state.Detaching(command.Caller.Lease, LeaseResources.Ingest(command.Ingest)));

    /// <summary>Changes labels.</summary>
    public static Decision<ContentRecord> Decide(this NamespaceState state, ContentCommands.Update command, DateTimeOffset at)
    {
        if (!state.Content.TryGetValue(command.Digest, out ContentRecord? content))
        {
            return Decision.Refused<ContentRecord>(Missing(command.Digest));
        }

        Reply<ImmutableSortedDictionary<string, string>> labels =
            LabelMask.Content(command.Digest.ToString(), content.Labels, command.Labels, command.Mask);
        if (labels is Refused<ImmutableSortedDictionary<string, string>> refused)
        {
            return Decision.Refused<ContentRecord>(refused.Error);
        }

        ContentRecord updated = content with { Labels = labels.Value, UpdatedAt = at };
        return Decision.Done(updated, new ContentEvents.Updated(updated));
    }

    /// <summary>Adds a repository to those that a blob comes from.</summary>
    public static Decision<ContentRecord> Decide(this NamespaceState state, ContentCommands.AddSource command, DateTimeOffset at)
    {
        if (!state.Content.TryGetValue(command.Digest, out ContentRecord? content))
        {
            return Decision.Refused<ContentRecord>(Missing(command.Digest));
        }

        string label = ContentLabels.DistributionSource + command.Host;
        string? present = content.Labels.GetValueOrDefault(label);
        string? value = ContentLabels.WithSource(command.Host, present, command.Repository);
        if (value is null || value == present)
        {
            return Decision.Done(content, []);
        }

        ContentRecord updated = content with { Labels = content.Labels.SetItem(label, value), UpdatedAt = at };
        return Decision.Done(updated, new ContentEvents.Updated(updated));
    }

    /// <summary>Makes a blob invisible.</summary>
    public static Decision<Nothing> Decide(this NamespaceState state, ContentCommands.Remove command) =>
        state.Content.ContainsKey(command.Digest)
            ? Decision.Done([
                new ContentEvents.Removed(command.Digest),
                .. state.Detaching(command.Caller.Lease, LeaseResources.Content(command.Digest)),
            ])
            : Decision.Refused<Nothing>(Missing(command.Digest));

    private static Error Missing(Digest digest) => Error.NotFound($"content digest {digest}");
}
