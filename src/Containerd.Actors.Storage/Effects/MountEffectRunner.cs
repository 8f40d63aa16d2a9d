// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Mounts;

namespace Containerd.Actors.Storage.Effects;

/// <summary>Carries out <see cref="MountEffects"/>.</summary>
/// <param name="directories">Where mount points lie.</param>
/// <param name="scratch">Directory for the mount points of trees that are looked into.</param>
public sealed class MountEffectRunner(ActivationDirectories directories, string scratch) : IEffectRunner
{
    /// <inheritdoc />
    public bool Runs(Effect effect) => effect?.GetType().DeclaringType == typeof(MountEffects);

    /// <inheritdoc />
    public object? Run(Effect effect, CancellationToken cancellationToken)
    {
        switch (effect)
        {
            case MountEffects.Activate activate:
                return directories.Mount(activate.Number, activate.Plan, cancellationToken);
            case MountEffects.Deactivate deactivate:
                Deactivate(deactivate);
                return null;
            case MountEffects.FindUser find:
                return FindUser(find, cancellationToken);
            case MountEffects.List:
                return directories.List();
            default:
                throw new RefusedException(Error.NotImplemented($"effect {effect}"));
        }
    }

    private UserSpec FindUser(MountEffects.FindUser find, CancellationToken cancellationToken)
    {
        using ReadOnlyTree tree = ReadOnlyTree.Open(find.Mounts, directories, scratch, cancellationToken);
        try
        {
            return UserResolver.Resolve(find.User, tree.Path);
        }
        catch (FormatException unknown)
        {
            throw new RefusedException(Error.Invalid(unknown.Message), unknown);
        }
    }

    // One that is in use must not hold up the others; which it was is told when the others are done.
    private void Deactivate(MountEffects.Deactivate deactivate)
    {
        LinuxException? busy = null;
        foreach (long number in deactivate.Numbers)
        {
            try
            {
                directories.Unmount(number, deactivate.IsForced);
            }
            catch (LinuxException failure)
            {
                busy ??= failure;
            }
        }

        if (busy is not null)
        {
            throw busy;
        }
    }
}
