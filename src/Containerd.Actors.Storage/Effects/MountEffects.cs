// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Mounts;

namespace Containerd.Actors.Storage.Effects;

/// <summary>What lanes do for activations.</summary>
public static class MountEffects
{
    /// <summary>Carries out a plan, or nothing of it. The value is a <see cref="Mounts.MountedPlan"/>.</summary>
    public sealed record Activate(long Number, MountPlan Plan) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => Plan.IsSlow ? LaneKind.Bulk : LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => $"activation {Number}";

        /// <inheritdoc />
        public override string Call => "mount";
    }

    /// <summary>Unmounts what is held under these numbers; missing ones are no failure.</summary>
    /// <param name="Numbers">The numbers.</param>
    /// <param name="IsForced">True to take what is in use from sight, and to free it when its last user is gone.</param>
    public sealed record Deactivate(ImmutableArray<long> Numbers, bool IsForced) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => $"activation {string.Join(',', Numbers)}";

        /// <inheritdoc />
        public override string Call => "umount2";
    }

    /// <summary>Mounts a tree, reads who a user is in its files, and unmounts it. The value is a <see cref="Oci.Runtime.UserSpec"/>.</summary>
    public sealed record FindUser(ImmutableArray<Mount> Mounts, string User) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => $"user {User}";

        /// <inheritdoc />
        public override string Call => "mount";
    }

    /// <summary>Looks what is mounted. The value is a list of <see cref="Mounts.FoundActivation"/>.</summary>
    public sealed record List : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => "activations";

        /// <inheritdoc />
        public override string Call => "getdents64";
    }
}
