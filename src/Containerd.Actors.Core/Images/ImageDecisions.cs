// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Masks;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Images;

/// <summary>What follows from requests about images.</summary>
public static class ImageDecisions
{
    /// <summary>The image, or its refusal.</summary>
    public static Reply<ImageRecord> Image(this NamespaceState state, string name) =>
        state.Images.TryGetValue(name, out ImageRecord? image) ? Reply.Done(image) : Reply.Refused<ImageRecord>(Missing(name));

    /// <summary>Makes a name. An image that will expire is kept by the caller's lease.</summary>
    public static Decision<ImageRecord> Decide(this NamespaceState state, ImageCommands.Create command, DateTimeOffset at)
    {
        if (command.Target is null)
        {
            return Decision.Refused<ImageRecord>(Error.Invalid("image target: digest is required"));
        }

        DateTimeOffset time = command.SourceDateEpoch ?? at;
        var image = new ImageRecord(command.Name, Kept(command.Target), LabelRules.Kept(command.Labels), time, time);
        if (Validate(image) is { } error)
        {
            return Decision.Refused<ImageRecord>(error);
        }

        return state.Images.ContainsKey(command.Name)
            ? Decision.Refused<ImageRecord>(Error.AlreadyExists($"image \"{command.Name}\""))
            : Leased(state, command.Caller.Lease, image, new ImageEvents.Created(image));
    }

    /// <summary>Changes what a name stands for.</summary>
    public static Decision<ImageRecord> Decide(this NamespaceState state, ImageCommands.Update command, DateTimeOffset at)
    {
        if (command.Name.Length == 0)
        {
            return Decision.Refused<ImageRecord>(Error.Invalid("image name is required for update"));
        }

        if (!state.Images.TryGetValue(command.Name, out ImageRecord? stored))
        {
            return Decision.Refused<ImageRecord>(Missing(command.Name));
        }

        Reply<ImageRecord> masked = ImageMask.Apply(stored, command.Target is null ? null : Kept(command.Target), command.Labels, command.Mask);
        if (masked is Refused<ImageRecord> refused)
        {
            return Decision.Refused<ImageRecord>(refused.Error);
        }

        ImageRecord image = masked.Value with { UpdatedAt = command.SourceDateEpoch ?? at };
        return Validate(image) is { } error
            ? Decision.Refused<ImageRecord>(error)
            : Leased(state, command.Caller.Lease, image, new ImageEvents.Updated(image));
    }

    /// <summary>Removes a name.</summary>
    public static Decision<Nothing> Decide(this NamespaceState state, ImageCommands.Delete command)
    {
        if (!state.Images.TryGetValue(command.Name, out ImageRecord? image))
        {
            return Decision.Refused<Nothing>(Missing(command.Name));
        }

        if (command.Target is { } target && target != image.Target.Digest)
        {
            return Decision.Refused<Nothing>(
                Error.NotFound($"image \"{command.Name}\" has target {image.Target.Digest}, not {target}"));
        }

        return Decision.Done([
            new ImageEvents.Deleted(command.Name),
            .. state.Detaching(command.Caller.Lease, LeaseResources.Image(command.Name)),
        ]);
    }

    private static Error Missing(string name) => Error.NotFound($"image \"{name}\"");

    private static Descriptor Kept(Descriptor target) => target with
    {
        Platform = null,
        Urls = null,
        Annotations = target.Annotations is { IsEmpty: true } ? null : target.Annotations,
    };

    private static Error? Validate(ImageRecord image)
    {
        if (image.Name.Length == 0)
        {
            return Error.Bare(ErrorKind.InvalidArgument, "Image.Name required");
        }

        if (LabelRules.Validate(image.Labels) is { } badLabel)
        {
            return badLabel.While("image.Labels");
        }

        if (image.Target.Digest.IsEmpty)
        {
            return Error.Invalid("Target.Digest \"\" invalid: invalid checksum digest format");
        }

        if (image.Target.Size <= 0)
        {
            return Error.Invalid("Target.Size must be greater than zero");
        }

        return image.Target.MediaType.Length == 0 ? Error.Invalid("Target.MediaType must be set") : null;
    }

    private static Decision<ImageRecord> Leased(NamespaceState state, string lease, ImageRecord image, DomainEvent e)
    {
        if (!image.Labels.ContainsKey(GarbageLabels.Expire))
        {
            return Decision.Done(image, state.Opening(e));
        }

        return state.Attaching(lease, LeaseResources.Image(image.Name), out var attach) is { } error
            ? Decision.Refused<ImageRecord>(error)
            : Decision.Done(image, state.Opening([e, .. attach]));
    }
}
