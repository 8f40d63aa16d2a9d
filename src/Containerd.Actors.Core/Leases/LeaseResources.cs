// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Leases;

/// <summary>What leases may keep, in the words of the leases service.</summary>
public static class LeaseResources
{
    /// <summary>Type of content.</summary>
    public const string ContentType = "content";

    /// <summary>Type of ingests.</summary>
    public const string IngestType = "ingests";

    /// <summary>Type of images.</summary>
    public const string ImageType = "images";

    /// <summary>Type of snapshots; a slash and the snapshotter follow.</summary>
    public const string SnapshotType = "snapshots";

    private const string SnapshotPrefix = SnapshotType + "/";

    /// <summary>A blob.</summary>
    public static LeaseResource Content(Digest digest) => new(ContentType, digest.ToString());

    /// <summary>An open ingest.</summary>
    public static LeaseResource Ingest(string reference) => new(IngestType, reference);

    /// <summary>An image.</summary>
    public static LeaseResource Image(string name) => new(ImageType, name);

    /// <summary>A snapshot.</summary>
    public static LeaseResource Snapshot(string snapshotter, string key) => new(SnapshotPrefix + snapshotter, key);

    /// <summary>The snapshotter, if this is a snapshot.</summary>
    public static string? Snapshotter(this LeaseResource resource) =>
        resource.Type.StartsWith(SnapshotPrefix, StringComparison.Ordinal) ? resource.Type[SnapshotPrefix.Length..] : null;

    /// <summary>Null when a lease may keep it, otherwise why not. Whether it exists does not matter.</summary>
    public static Error? Validate(LeaseResource resource)
    {
        string[] parts = resource.Type.Split('/');
        switch (parts[0])
        {
            case ContentType:
                if (parts.Length != 1)
                {
                    return Malformed(resource);
                }

                return Digest.TryParse(resource.Id, out _)
                    ? null
                    : Error.Invalid($"invalid content resource id {resource.Id}: {WhyNoDigest(resource.Id)}");
            case IngestType or ImageType:
                return parts.Length == 1 ? null : Malformed(resource);
            case SnapshotType:
                return parts.Length == 2 && parts[1].Length > 0 ? null : Error.Invalid($"invalid snapshot resource type {resource.Type}");
            default:
                return Error.NotImplemented($"resource type {resource.Type} not supported yet");
        }
    }

    /// <summary>Events that let the caller's lease keep something; none without a lease.</summary>
    /// <returns>The refusal for a lease that does not exist, otherwise null.</returns>
    internal static Error? Attaching(
        this NamespaceState state, string lease, LeaseResource resource, out ImmutableArray<DomainEvent> events)
    {
        events = [];
        if (lease.Length == 0)
        {
            return null;
        }

        if (!state.Leases.TryGetValue(lease, out LeaseRecord? record))
        {
            return Error.NotFound("lease does not exist");
        }

        if (!record.Resources.Contains(resource))
        {
            events = [new LeaseEvents.ResourceAdded(lease, resource)];
        }

        return null;
    }

    /// <summary>Events that take something out of the caller's lease; none if it is not in it.</summary>
    internal static ImmutableArray<DomainEvent> Detaching(this NamespaceState state, string lease, LeaseResource resource) =>
        state.Leases.TryGetValue(lease, out LeaseRecord? record) && record.Resources.Contains(resource)
            ? [new LeaseEvents.ResourceRemoved(lease, resource)]
            : [];

    // The words of the digest package that containerd uses.
    private static string WhyNoDigest(string id)
    {
        string[] parts = id.Split(':', 2);
        return parts.Length != 2 || parts[0].Length == 0 || parts[1].Length == 0 ? "invalid checksum digest format"
            : parts[0] is not ("sha256" or "sha384" or "sha512") ? "unsupported digest algorithm"
            : "invalid checksum digest length";
    }

    private static Error Malformed(LeaseResource resource) => Error.Invalid($"invalid resource type {resource.Type}");
}
