// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Protocol.Pulls;

/// <summary>A message for the pulls of a namespace.</summary>
public interface IForPulls : IInNamespace;

/// <summary>What can be asked of pulls.</summary>
public static class PullCommands
{
    /// <summary>
    /// Fetches an image and unpacks it where asked. The sender gets <see cref="PullProgress"/> until one that is final, or a refusal;
    /// a request for what is being pulled already joins that pull.
    /// </summary>
    /// <param name="Namespace">Namespace that will see the image.</param>
    /// <param name="Reference">What to pull.</param>
    /// <param name="Wish">What of it, and under which names.</param>
    /// <param name="Source">How to reach the registry. Never stored or logged.</param>
    /// <param name="GoesOn">True when the pull goes on after everybody who asked is gone; otherwise it is given up then.</param>
    /// <param name="By">On whose behalf; its lease keeps what is fetched, and without one the pull takes one for as long as it lasts.</param>
    public sealed record Pull(string Namespace, string Reference, PullWish Wish, PullSource Source, bool GoesOn, Caller By)
        : IRequest<Nothing>, IForPulls;
}

/// <summary>What a pull says to one of those who asked for it, who answers the sender.</summary>
public static class PullQueries
{
    /// <summary>Who asks this registry? Only sent to who said to have credentials.</summary>
    /// <param name="Host">The registry or mirror with its port; docker.io is called by that name.</param>
    /// <param name="Reference">What is pulled.</param>
    public sealed record FindCredentials(string Host, string Reference) : IRequest<PullCredentials>;
}

/// <summary>What proves to a registry who asks. Never stored or logged.</summary>
/// <param name="Username">The user; empty with an identity token.</param>
/// <param name="Secret">Password of the user.</param>
/// <param name="IdentityToken">A refresh token for a token server; empty for none.</param>
/// <param name="Header">The whole value of the Authorization header; empty for none.</param>
public sealed record PullCredentials(string Username, string Secret, string IdentityToken, string Header)
{
    /// <summary>Nobody.</summary>
    public static PullCredentials Anonymous { get; } = new("", "", "", "");

    /// <summary>Says nothing of the secrets.</summary>
    public override string ToString() => this == Anonymous ? "anonymous" : "[credentials]";
}

/// <summary>What of an image is wanted, and how it is called afterwards.</summary>
public sealed record PullWish
{
    /// <summary>Names that the image gets; at least one.</summary>
    public required ImmutableArray<PullName> Names { get; init; }

    /// <summary>Labels of the image.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = Values.Labels.None;

    /// <summary>Which images of an index.</summary>
    public required PlatformSelection Platforms { get; init; }

    /// <summary>True to store manifests and configurations of the other images of an index too.</summary>
    public bool IncludesMetadata { get; init; }

    /// <summary>What is unpacked where; empty unpacks nothing.</summary>
    public ImmutableArray<PullUnpack> Unpacks { get; init; } = [];
}

/// <summary>A name for what is pulled.</summary>
/// <param name="Name">The name.</param>
/// <param name="AddsDigest">True to put an at-sign and the digest behind it.</param>
public sealed record PullName(string Name, bool AddsDigest = false)
{
    /// <summary>The name of this target.</summary>
    public string Of(Digest target) => AddsDigest ? $"{Name}@{target}" : Name;
}

/// <summary>Unpacks the images of a platform.</summary>
/// <param name="Platform">Which images; null for every one that is pulled.</param>
/// <param name="Snapshotter">Where.</param>
public sealed record PullUnpack(Platform? Platform, string Snapshotter);

/// <summary>How to reach a registry.</summary>
/// <param name="IsPlainHttp">True to speak http where nothing else is configured.</param>
/// <param name="HostsDirectory">Directory of <c>hosts.toml</c> files; empty for the configured one.</param>
/// <param name="Username">Empty for nobody.</param>
/// <param name="Secret">Password or token.</param>
public sealed record PullSource(bool IsPlainHttp, string HostsDirectory, string Username, string Secret)
{
    /// <summary>The registry itself, as it is configured, asked by nobody in particular.</summary>
    public static PullSource Default { get; } = new(false, "", "", "");

    /// <summary>True to speak https only, also to this machine.</summary>
    public bool IsHttpsOnly { get; init; }

    /// <summary>Headers of every request to a registry or mirror; they may hold secrets.</summary>
    public ImmutableSortedDictionary<string, string> Headers { get; init; } = Values.Labels.None;

    /// <summary>True when whoever asked answers <see cref="PullQueries.FindCredentials"/>.</summary>
    public bool AsksForCredentials { get; init; }

    /// <summary>Says nothing of the secrets.</summary>
    public override string ToString() => $"plain http {IsPlainHttp}, {(Username.Length > 0 ? "with credentials" : "anonymous")}";
}

/// <summary>Where a layer or another blob of a pull is.</summary>
public enum LayerStage
{
    /// <summary>Its turn has not come.</summary>
    Waiting,

    /// <summary>Bytes are coming.</summary>
    Fetching,

    /// <summary>It is verified and on disk.</summary>
    Stored,

    /// <summary>It is being extracted.</summary>
    Unpacking,

    /// <summary>Nothing is left to do.</summary>
    Done,
}

/// <summary>One layer of a pull as it stands.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Offset">Bytes stored.</param>
/// <param name="Stage">Where it is.</param>
public sealed record LayerProgress(Descriptor Layer, long Offset, LayerStage Stage)
{
    /// <summary>Digests of the documents that name it; empty for what the reference stands for.</summary>
    public ImmutableArray<Digest> Parents { get; init; } = [];

    /// <summary>True when the bytes were there before this pull.</summary>
    public bool WasThere { get; init; }

    /// <summary>True when some snapshot is unpacked from it.</summary>
    public bool IsUnpacked { get; init; }
}

/// <summary>Where a pull is.</summary>
public enum PullStage
{
    /// <summary>The registry is asked what the reference stands for.</summary>
    Resolving,

    /// <summary>Layers are fetched and unpacked.</summary>
    Fetching,

    /// <summary>All layers are fetched; the last are unpacked.</summary>
    Unpacking,

    /// <summary>The image is there. Final.</summary>
    Completed,

    /// <summary>The image could not be had. Final.</summary>
    Failed,
}

/// <summary>A pull as it stands.</summary>
/// <param name="Operation">Id of the pull.</param>
/// <param name="Reference">What is pulled.</param>
/// <param name="Stage">Where it is.</param>
/// <param name="Layers">What is fetched beside documents, in the order of the manifest; empty before it is known.</param>
/// <param name="Target">What the image points at; set when completed.</param>
/// <param name="Error">Why it failed; set when failed.</param>
public sealed record PullProgress(
    string Operation, string Reference, PullStage Stage, ImmutableArray<LayerProgress> Layers, Digest? Target, Error? Error)
{
    /// <summary>What the reference stands for; null before it is known.</summary>
    public Descriptor? Root { get; init; }

    /// <summary>Index, manifests and configurations, each after what names it.</summary>
    public ImmutableArray<LayerProgress> Documents { get; init; } = [];

    /// <summary>Names that the image got; set when completed.</summary>
    public ImmutableArray<string> Names { get; init; } = [];

    /// <summary>True when nothing more comes.</summary>
    public bool IsFinal => Stage is PullStage.Completed or PullStage.Failed;
}
