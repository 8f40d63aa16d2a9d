// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.Diff;

/// <summary>A differ in another process. It reads and writes content through this daemon's API.</summary>
/// <remarks>
/// Every call ends within a bound that the implementation has, and fails with a <see cref="Protocol.Errors.RefusedException"/>. One of
/// kind not implemented means that another differ is to be asked.
/// </remarks>
public interface IProxiedDiffer
{
    /// <summary>Name of the differ.</summary>
    string Name { get; }

    /// <summary>Extracts a layer onto mounts; the answer describes the uncompressed archive.</summary>
    Task<Descriptor> ApplyAsync(DiffCommands.Apply apply, CancellationToken cancellationToken);

    /// <summary>Makes a layer of what differs and stores it.</summary>
    Task<Descriptor> CreateAsync(DiffCommands.Create create, CancellationToken cancellationToken);
}
