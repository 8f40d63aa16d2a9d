// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Core.Executor;

/// <summary>What a lane is for. Effects of one kind never wait for effects of another.</summary>
public enum LaneKind
{
    /// <summary>Changes of the mount table and of directories.</summary>
    Mount,

    /// <summary>Signals, pidfds and cgroups: short calls that must never wait behind a slow disk.</summary>
    Process,

    /// <summary>Short writes of uploads and the flush that ends one; clients wait for each, so they must not queue behind unpacking.</summary>
    Content,

    /// <summary>Byte work: unpacking, copying and removing trees.</summary>
    Bulk,

    /// <summary>Byte work on what still comes from a network: it must not keep other byte work from a lane.</summary>
    Arrival,
}
