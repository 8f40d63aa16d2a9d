// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;

namespace Containerd.Actors.Supervision.Namespaces;

/// <summary>What lives below a namespace: containers, pulls.</summary>
/// <param name="Name">Name in the tree, for example <c>containers</c>.</param>
/// <param name="Props">How it is made.</param>
/// <param name="Takes">True for messages that are its own.</param>
/// <param name="HoldsRoots">
/// True when it announces containers: nothing is collected or deleted before it said
/// <see cref="Core.Namespaces.ContainerRoots.Complete"/>.
/// </param>
public sealed record NamespaceChild(string Name, Props Props, Func<object, bool> Takes, bool HoldsRoots);
