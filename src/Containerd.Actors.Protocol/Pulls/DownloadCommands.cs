// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Protocol.Pulls;

/// <summary>What the layers of pulls ask before they fetch. The turn of a sender ends with it.</summary>
public static class DownloadCommands
{
    /// <summary>Wants to fetch this blob; <see cref="DownloadTurn"/> comes when nobody else fetches it and the bound allows.</summary>
    public sealed record Ask(Digest Digest);

    /// <summary>Has fetched, or wants no more.</summary>
    public sealed record Leave;
}

/// <summary>The sender of <see cref="DownloadCommands.Ask"/> may fetch.</summary>
public sealed record DownloadTurn
{
    /// <summary>The only value.</summary>
    public static DownloadTurn Value { get; } = new();

    private DownloadTurn()
    {
    }
}
