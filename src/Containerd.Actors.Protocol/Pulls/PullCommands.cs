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
    /// Fetches and unpacks an image. The sender gets <see cref="PullProgress"/> until one that is final; a request for an image that
    /// is being pulled joins that pull, and a pull goes on when nobody watches it any more.
    /// </summary>
    /// <param name="Namespace">Namespace that will see the image.</param>
    /// <param name="Reference">What to pull; also the name of the image.</param>
    /// <param name="Snapshotter">Where layers are unpacked.</param>
    /// <param name="Platform">Which image of an index; null for the host's.</param>
    /// <param name="Source">How to reach the registry. Never stored or logged.</param>
    /// <param name="Labels">Labels of the image.</param>
    /// <param name="By">On whose behalf.</param>
    public sealed record Pull(
        string Namespace,
        string Reference,
        string Snapshotter,
        Platform? Platform,
        PullSource Source,
        ImmutableSortedDictionary<string, string> Labels,
        Caller By) : IRequest<Nothing>, IForPulls;
}

/// <summary>How to reach a registry.</summary>
/// <param name="IsPlainHttp">True to speak http where nothing else is configured.</param>
/// <param name="HostsDirectory">Directory of <c>hosts.toml</c> files; empty for the configured one.</param>
/// <param name="Username">Empty for nobody.</param>
/// <param name="Secret">Password or token.</param>
public sealed record PullSource(bool IsPlainHttp, string HostsDirectory, string Username, string Secret)
{
    /// <summary>Says nothing of the secret.</summary>
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
public sealed record LayerProgress(Descriptor Layer, long Offset, LayerStage Stage);

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
/// <param name="Layers">Its layers in the order of the manifest; empty before they are known.</param>
/// <param name="Target">What the image points at; set when completed.</param>
/// <param name="Error">Why it failed; set when failed.</param>
public sealed record PullProgress(
    string Operation, string Reference, PullStage Stage, ImmutableArray<LayerProgress> Layers, Digest? Target, Error? Error)
{
    /// <summary>True when nothing more comes.</summary>
    public bool IsFinal => Stage is PullStage.Completed or PullStage.Failed;
}
