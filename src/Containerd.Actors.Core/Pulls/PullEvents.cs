// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Pulls;

/// <summary>What can happen to a pull. Blobs and snapshots have events of their own, in the namespace.</summary>
public static class PullEvents
{
    /// <summary>Somebody wants this image. Credentials are not kept.</summary>
    public sealed record Requested(string Reference, string Snapshotter, string Platform) : DomainEvent;

    /// <summary>The registry said what the reference stands for.</summary>
    public sealed record Resolved(Descriptor Target) : DomainEvent;

    /// <summary>One layer is stored and unpacked.</summary>
    public sealed record LayerUnpacked(Digest Layer, string ChainId) : DomainEvent;

    /// <summary>The image is complete and named.</summary>
    public sealed record Completed(Digest Target) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => true;
    }

    /// <summary>The image could not be had.</summary>
    public sealed record Failed(Error Error) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => true;
    }
}
