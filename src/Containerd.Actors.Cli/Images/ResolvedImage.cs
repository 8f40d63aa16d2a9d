// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Cli.Images;

/// <summary>An image of the daemon's store with the documents that say how a container of it starts.</summary>
/// <param name="Name">Its name in the store.</param>
/// <param name="Manifest">The manifest for the platform.</param>
/// <param name="Config">Its configuration.</param>
internal sealed record ResolvedImage(string Name, Manifest Manifest, ImageConfig Config)
{
    /// <summary>Name of the snapshot that holds all layers; empty for an image without any.</summary>
    public string ChainId => Config.RootFs.DiffIds.Count == 0 ? "" : Oci.Images.ChainId.Of(Config.RootFs.DiffIds).ToString();
}
