// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Storage.Effects;

/// <summary>Carries out <see cref="SnapshotEffects"/> on the snapshotters of the node.</summary>
public sealed class SnapshotEffectRunner(IEnumerable<ISnapshotBackend> backends) : IEffectRunner
{
    private readonly FrozenDictionary<string, ISnapshotBackend> _backends = backends.ToFrozenDictionary(backend => backend.Name);

    /// <inheritdoc />
    public bool Runs(Effect effect) => effect?.GetType().DeclaringType == typeof(SnapshotEffects);

    /// <inheritdoc />
    public object? Run(Effect effect, CancellationToken cancellationToken)
    {
        switch (effect)
        {
            case SnapshotEffects.Create create:
                _backends[create.Snapshotter].Create(create.Id, create.Kind, create.Parents, create.Labels);
                return null;
            case SnapshotEffects.Measure measure:
                return _backends[measure.Snapshotter].Usage(measure.Id, measure.Parent);
            case SnapshotEffects.Commit commit:
                if (!commit.Parents.IsEmpty)
                {
                    _backends[commit.Snapshotter].Attach(commit.Id, commit.Parents, commit.Inherited);
                }

                SnapshotUsage usage = _backends[commit.Snapshotter].Usage(commit.Id, commit.Parent);
                _backends[commit.Snapshotter].Commit(commit.Id, commit.Synchronize);
                return usage;
            case SnapshotEffects.MountLayers mount:
                _backends[mount.Snapshotter].MountLayers(mount.Parents);
                return null;
            case SnapshotEffects.Trim trim:
                _backends[trim.Snapshotter].Trim(trim.Id);
                return null;
            case SnapshotEffects.Remove remove:
                foreach (long id in remove.Ids)
                {
                    _backends[remove.Snapshotter].Remove(id);
                }

                return null;
            case SnapshotEffects.List list:
                return _backends[list.Snapshotter].List();
            default:
                throw new RefusedException(Error.NotImplemented($"effect {effect}"));
        }
    }
}
