// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Protocol.Transfers;

/// <summary>A message for the transfers of a namespace.</summary>
public interface IForTransfers : IInNamespace;

/// <summary>
/// Images that move out of a namespace, or into it from an archive. Whoever asks gets <see cref="TransferStep"/>s and at last a reply;
/// when it is gone, the transfer is given up.
/// </summary>
public static class TransferCommands
{
    /// <summary>What all of them have.</summary>
    public abstract record Transfer(string Namespace, Caller By) : IRequest<Nothing>, IForTransfers;

    /// <summary>Brings an image and everything it consists of into a registry.</summary>
    /// <param name="Namespace">Namespace that has the image.</param>
    /// <param name="Image">Name of the image.</param>
    /// <param name="Reference">Where it goes, and under which tag.</param>
    /// <param name="Platforms">Which images of an index; empty for all.</param>
    /// <param name="Source">How to reach the registry. Never stored or logged.</param>
    /// <param name="By">On whose behalf.</param>
    public sealed record Push(string Namespace, string Image, string Reference, ImmutableArray<Platform> Platforms, PullSource Source, Caller By)
        : Transfer(Namespace, By);

    /// <summary>Stores the images of an archive: an OCI layout, or what <c>docker save</c> writes.</summary>
    /// <param name="Namespace">Namespace that will see them.</param>
    /// <param name="Stream">Id of the stream that the archive comes from.</param>
    /// <param name="MediaType">What the archive is; empty to find out whether it is compressed.</param>
    /// <param name="Compresses">True to compress the layers of a docker archive.</param>
    /// <param name="Images">What is wanted of it, and under which names.</param>
    /// <param name="By">On whose behalf; its lease keeps what is stored until there are names for it.</param>
    public sealed record Import(string Namespace, string Stream, string MediaType, bool Compresses, ImportWish Images, Caller By)
        : Transfer(Namespace, By);

    /// <summary>Writes images into an archive that is an OCI layout and that docker can load.</summary>
    /// <param name="Namespace">Namespace that has the images.</param>
    /// <param name="Images">Their names.</param>
    /// <param name="Stream">Id of the stream that the archive goes to.</param>
    /// <param name="Form">What goes into it.</param>
    /// <param name="By">On whose behalf.</param>
    public sealed record Export(string Namespace, ImmutableArray<string> Images, string Stream, ExportForm Form, Caller By) : Transfer(Namespace, By);
}

/// <summary>What of an archive is wanted, and how its images are called.</summary>
/// <param name="Name">Name of the archive's index; empty for none.</param>
/// <param name="Rules">Further names, of the index and of the images in it.</param>
/// <param name="Labels">Labels of each image.</param>
/// <param name="Platforms">Which images must be complete; empty for all.</param>
/// <param name="ManifestsMax">Most of them, best first; 0 for no limit.</param>
/// <param name="Unpacks">What is unpacked where.</param>
public sealed record ImportWish(
    string Name,
    ImmutableArray<ImageNaming> Rules,
    ImmutableSortedDictionary<string, string> Labels,
    ImmutableArray<Platform> Platforms,
    int ManifestsMax,
    ImmutableArray<UnpackWish> Unpacks);

/// <summary>Unpacks the images of a platform.</summary>
/// <param name="Platform">Which images.</param>
/// <param name="Snapshotter">Where.</param>
public sealed record UnpackWish(Platform Platform, string Snapshotter);

/// <summary>What goes into an exported archive.</summary>
/// <param name="Platforms">Which images of an index; empty for the host's.</param>
/// <param name="AllPlatforms">True for every image of an index.</param>
/// <param name="SkipsDockerManifest">True to leave out what docker needs.</param>
/// <param name="SkipsForeignLayers">True to leave out layers that may not be distributed.</param>
public sealed record ExportForm(ImmutableArray<Platform> Platforms, bool AllPlatforms, bool SkipsDockerManifest, bool SkipsForeignLayers);

/// <summary>A step of a transfer that is worth telling.</summary>
/// <param name="Event">What happens, for example <c>uploading</c>.</param>
/// <param name="Name">To what; empty for the whole.</param>
public sealed record TransferStep(string Event, string Name = "")
{
    /// <summary>Names of what it belongs to.</summary>
    public ImmutableArray<string> Parents { get; init; } = [];

    /// <summary>Bytes that are done.</summary>
    public long Offset { get; init; }

    /// <summary>Bytes that there are; 0 where it is not about bytes.</summary>
    public long Total { get; init; }

    /// <summary>The content that it is about.</summary>
    public Descriptor? Content { get; init; }
}
