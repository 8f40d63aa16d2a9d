// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;

namespace Containerd.Actors.Storage.Mounts;

/// <summary>Mounts of a request in a form that can be mounted as it is, for as long as one piece of work needs them.</summary>
internal sealed class ScratchMounts : IDisposable
{
    /// <summary>How the names of its directories begin.</summary>
    public const string Prefix = "activation-";

    private readonly string? _directory;

    private ScratchMounts(ImmutableArray<Mount> mounts, string? directory) => (Mounts, _directory) = (mounts, directory);

    /// <summary>What is to be mounted.</summary>
    public ImmutableArray<Mount> Mounts { get; }

    /// <summary>Mounts beforehand what takes more than a mount; nothing in most cases.</summary>
    /// <param name="mounts">The mounts of the request.</param>
    /// <param name="activations">How it is done.</param>
    /// <param name="scratch">Directory for mount points.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits any more.</param>
    public static ScratchMounts Of(
        ImmutableArray<Mount> mounts, ActivationDirectories activations, string scratch, CancellationToken cancellationToken)
    {
        if (MountPlan.Of(mounts) is not { } plan)
        {
            return new ScratchMounts(mounts, null);
        }

        string directory = Path.Combine(scratch, $"{Prefix}{Guid.NewGuid():N}");
        Directory.CreateDirectory(directory);
        try
        {
            return new ScratchMounts(activations.Mount(directory, plan, cancellationToken).System, directory);
        }
        catch
        {
            Undo(directory);
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_directory is not null)
        {
            Undo(_directory);
        }
    }

    private static void Undo(string directory)
    {
        ActivationDirectories.Undo(directory, isForced: true);
        Directory.Delete(directory);
    }
}
