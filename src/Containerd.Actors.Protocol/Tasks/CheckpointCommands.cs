// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Tasks;

/// <summary>Images of processes as content.</summary>
public static class CheckpointCommands
{
    /// <summary>Media type of an archive with the image of a task's processes.</summary>
    public const string ImageType = "application/vnd.containerd.container.criu.checkpoint.criu.tar";

    /// <summary>Media type of the spec that the task ran with.</summary>
    public const string ConfigType = "application/vnd.containerd.container.checkpoint.config.v1+proto";

    /// <summary>Writes an image of the processes into content; answered with the descriptors of the image and of the spec.</summary>
    /// <param name="Namespace">Namespace of the container.</param>
    /// <param name="ContainerId">The container.</param>
    /// <param name="Options">Options for the runtime.</param>
    /// <param name="By">Who asks; the caller's lease keeps the content.</param>
    public sealed record ToContent(string Namespace, string ContainerId, AnyValue? Options, Caller By)
        : IRequest<ImmutableArray<Descriptor>>, IInNamespace;
}
