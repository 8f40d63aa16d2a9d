// SPDX-License-Identifier: Apache-2.0

using Akka.Actor.Setup;

namespace Containerd.Actors.Persistence.Savepoints;

/// <summary>How one kind of state is stored in a savepoint.</summary>
/// <remarks>A savepoint whose manifest nobody knows any more is ignored: events alone give the same state, later.</remarks>
public abstract class SavepointForm
{
    /// <summary>Entity and version of the schema, for example <c>namespace:1</c>.</summary>
    public abstract string Manifest { get; }

    /// <summary>The type of the state.</summary>
    public abstract Type StateType { get; }

    /// <summary>The state as bytes.</summary>
    public abstract byte[] Write(object state);

    /// <summary>The state in bytes; null when they cannot be used, so that recovery starts from events.</summary>
    public abstract object? Read(ReadOnlyMemory<byte> bytes);
}

/// <summary>Gives an actor system the forms of its savepoints; one for <see cref="Core.Events.Savepoint"/> is always there.</summary>
public sealed class SavepointSetup(IReadOnlyList<SavepointForm> forms) : Setup
{
    /// <summary>The forms.</summary>
    public IReadOnlyList<SavepointForm> Forms { get; } = forms;
}
