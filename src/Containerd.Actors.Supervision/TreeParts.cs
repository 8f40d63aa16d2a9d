// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Storage.Checkpoints;
using Containerd.Actors.Storage.Snapshots;
using Containerd.Actors.Supervision.Content;
using Containerd.Actors.Supervision.Diff;
using Containerd.Actors.Supervision.Executor;
using Containerd.Actors.Supervision.GarbageCollection;
using Containerd.Actors.Supervision.Namespaces;
using Containerd.Actors.Supervision.Namespaces.Containers;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Containerd.Actors.Supervision.Namespaces.Runs;
using Containerd.Actors.Supervision.Namespaces.Sandboxes;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;
using Containerd.Actors.Supervision.Namespaces.Transfers;
using Containerd.Actors.Supervision.Restarts;
using Containerd.Actors.Supervision.Snapshots;

namespace Containerd.Actors.Supervision;

/// <summary>What the tree is built on: ports to the world and settings. The composition root fills it, tests fill it with fakes.</summary>
public sealed record TreeParts
{
    /// <summary>Version of the daemon, as it records itself.</summary>
    public required string Version { get; init; }

    /// <summary>Carries out what lanes are given.</summary>
    public required IEffectRunner Runner { get; init; }

    /// <summary>The snapshotters of the node.</summary>
    public required ImmutableArray<ISnapshotBackend> Snapshotters { get; init; }

    /// <summary>Snapshotters in other processes.</summary>
    public ImmutableArray<(IProxiedSnapshotter Plugin, ProxySettings Settings)> ProxiedSnapshotters { get; init; } = [];

    /// <summary>Differs, and in which order they are asked.</summary>
    public DiffParts Differs { get; init; } = DiffParts.Own;

    /// <summary>Starts and finds shims.</summary>
    public required IShims Shims { get; init; }

    /// <summary>Persistence ids of living entities by prefix.</summary>
    public required Func<string, IReadOnlyList<string>> LiveEntities { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Bounds of the executor.</summary>
    public required ExecutorSettings Executor { get; init; }

    /// <summary>Bounds of namespaces.</summary>
    public required NamespaceSettings Namespaces { get; init; }

    /// <summary>Who may take over whose content.</summary>
    public required ContentSettings Content { get; init; }

    /// <summary>Bounds of containers and tasks.</summary>
    public required ContainersSettings Containers { get; init; }

    /// <summary>Where pulls get their bytes from.</summary>
    public required ImageSources Sources { get; init; }

    /// <summary>Bounds of pulls.</summary>
    public required PullSettings Pulls { get; init; }

    /// <summary>What pushes, imports and exports are built on.</summary>
    public required TransferParts Transfers { get; init; }

    /// <summary>The ways to run sandboxes, beside containers that hold pod sandboxes open.</summary>
    public ImmutableArray<ISandboxer> Sandboxers { get; init; } = [];

    /// <summary>Bounds of sandboxes.</summary>
    public SandboxesSettings Sandboxes { get; init; } = new();

    /// <summary>Where images of processes wait to become content.</summary>
    public required CheckpointDirectories Checkpoints { get; init; }

    /// <summary>When tasks are looked at that are to be restarted.</summary>
    public RestartSettings Restarts { get; init; } = new();

    /// <summary>Bounds of runs.</summary>
    public RunSettings Runs { get; init; } = new();

    /// <summary>When garbage is collected.</summary>
    public required GarbageCollectionSettings GarbageCollection { get; init; }
}
