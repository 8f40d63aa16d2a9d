// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Protocol.Containers;

/// <summary>Requests that change a container's record.</summary>
public static class ContainerCommands
{
    /// <summary>Makes a record; answered with it as it was stored.</summary>
    /// <param name="Namespace">Namespace of the container.</param>
    /// <param name="Container">The record; its times are ignored.</param>
    /// <param name="By">Who asks.</param>
    public sealed record Create(string Namespace, ContainerRecord Container, Caller By) : IRequest<ContainerRecord>, IForContainer
    {
        /// <inheritdoc />
        public string ContainerId => Container.Id;
    }

    /// <summary>Changes a record; answered with it as it is then.</summary>
    /// <param name="Namespace">Namespace of the container.</param>
    /// <param name="Container">The new values.</param>
    /// <param name="Mask">Paths of the fields to take over (<c>labels</c>, <c>labels.K</c>, <c>spec</c> …); empty for all that may change.</param>
    /// <param name="By">Who asks.</param>
    public sealed record Update(string Namespace, ContainerRecord Container, ImmutableArray<string> Mask, Caller By)
        : IRequest<ContainerRecord>, IForContainer
    {
        /// <inheritdoc />
        public string ContainerId => Container.Id;
    }

    /// <summary>Forgets a record; task, snapshot and image stay what they are.</summary>
    public sealed record Delete(string Namespace, string ContainerId, Caller By) : IRequest<Nothing>, IForContainer;
}
