// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Supervision.Namespaces.Containers;

/// <summary>Which entities of the journal have not ended.</summary>
public interface ILiveEntities
{
    /// <summary>Persistence ids that begin with this and whose last event does not end them.</summary>
    Task<ImmutableArray<string>> ListAsync(string prefix, CancellationToken cancellationToken);
}
