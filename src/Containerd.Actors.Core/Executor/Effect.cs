// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Core.Executor;

/// <summary>Something a decision wants done by the kernel, as data: it can be logged, faked and audited.</summary>
/// <remarks>Projects above Core add effects of their own; whoever adds one also supplies an <see cref="IEffectRunner"/> for it.</remarks>
public abstract record Effect
{
    /// <summary>Which lane carries it out.</summary>
    public abstract LaneKind Lane { get; }

    /// <summary>False if it is refused as exhausted when no lane is free: the caller then does without it.</summary>
    public virtual bool MayWait => true;

    /// <summary>What it is done to, for people: a path or a process.</summary>
    public abstract string Subject { get; }

    /// <summary>The call that may block, named in reports of a stuck lane; the type's name unless there is a system call to name.</summary>
    public virtual string Call => GetType().Name;
}
