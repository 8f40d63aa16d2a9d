// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Executor;

/// <summary>Carries out effects on the calling thread. Used by several lanes at once: implementations keep no state between calls.</summary>
public interface IEffectRunner
{
    /// <summary>True when this runner knows effects of that type.</summary>
    bool Runs(Effect effect);

    /// <summary>Carries out one effect and returns the value it promises, or null.</summary>
    /// <param name="effect">One for which <see cref="Runs"/> is true.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits any more; long byte work looks at it between pieces.</param>
    /// <exception cref="LinuxException">A system call failed.</exception>
    /// <exception cref="RefusedException">The effect itself is refused.</exception>
    object? Run(Effect effect, CancellationToken cancellationToken);
}

/// <summary>Several runners as one; the first that knows an effect runs it.</summary>
public sealed class EffectRunners(params IReadOnlyList<IEffectRunner> runners) : IEffectRunner
{
    /// <inheritdoc />
    public bool Runs(Effect effect) => runners.Any(runner => runner.Runs(effect));

    /// <inheritdoc />
    public object? Run(Effect effect, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(effect);
        IEffectRunner runner = runners.FirstOrDefault(candidate => candidate.Runs(effect))
            ?? throw new RefusedException(Error.NotImplemented($"effect {effect.Call} on {effect.Subject}: no runner is registered"));
        return runner.Run(effect, cancellationToken);
    }
}
