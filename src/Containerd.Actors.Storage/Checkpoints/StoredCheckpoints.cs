// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Checkpoints;

/// <summary>Images of processes that are stored as content.</summary>
public sealed class StoredCheckpoints(ContentStore store)
{
    /// <summary>Extracts an image into a new directory. It is read like a layer: nothing is written outside of the directory.</summary>
    /// <exception cref="Protocol.Errors.RefusedException">It is not there, or is no archive.</exception>
    public Task UnpackAsync(Digest image, string directory, CancellationToken cancellation) => Task.Run(
        () =>
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            using Stream blob = store.OpenRead(image);
            LayerApplier.Apply(blob, AppliedLayer.MediaType, ApplyTarget.Plain(directory), LayerLimits.Default, cancellation);
        },
        cancellation);
}
