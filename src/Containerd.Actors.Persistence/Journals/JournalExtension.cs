// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Event;
using Containerd.Actors.Core.Audit;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>Gives an actor system what its journal cannot get from HOCON.</summary>
/// <param name="Listeners">Are told of every commit from the first on.</param>
/// <param name="Time">For records of the journal itself.</param>
public sealed class JournalSetup(IReadOnlyList<IJournalListener> Listeners, TimeProvider? Time = null) : Setup
{
    /// <summary>Are told of every commit from the first on.</summary>
    public IReadOnlyList<IJournalListener> Listeners { get; } = Listeners;

    /// <summary>For records of the journal itself.</summary>
    public TimeProvider Time { get; } = Time ?? TimeProvider.System;
}

/// <summary>The journal of an actor system: opened on first use, closed when the system has terminated.</summary>
public sealed class JournalExtension : IExtension
{
    private readonly Lazy<JournalStore> _store;
    private readonly bool _isDefault;

    internal JournalExtension(ExtendedActorSystem system)
    {
        _store = new Lazy<JournalStore>(() => Open(system));
        _isDefault = system.Settings.Config.GetString("akka.persistence.journal.plugin") == JournalSettings.Path;
    }

    /// <summary>The open file.</summary>
    /// <exception cref="RefusedException">It cannot be opened or is damaged; the text names it.</exception>
    public JournalStore Store => _store.Value;

    /// <summary>The journal of a system. The daemon asks for <see cref="Store"/> once before it serves, so that a bad file stops the start.</summary>
    public static JournalExtension For(ActorSystem system) => system.WithExtension<JournalExtension, JournalExtensionProvider>();

    /// <summary>The last ended sequence number of an entity, if this system's events are in such a journal.</summary>
    internal async Task<long> EndedAt(string entity) =>
        _isDefault ? (await _store.Value.Place(entity).ConfigureAwait(false)).EndedAt : 0;

    private static JournalStore Open(ExtendedActorSystem system)
    {
        JournalSetup setup = system.Settings.Setup.Get<JournalSetup>().GetOrElse(new JournalSetup([]));
        JournalSettings settings = JournalSettings.From(system.Settings.Config.GetConfig(JournalSettings.Path));
        JournalStore store = JournalStore.Open(settings, setup.Time, text => system.Log.Error("{0}", text));
        foreach (IJournalListener listener in setup.Listeners)
        {
            store.Listen(listener);
        }

        system.RegisterOnTermination(store.Dispose);
        return store;
    }
}

/// <summary>Makes the <see cref="JournalExtension"/> of a system.</summary>
public sealed class JournalExtensionProvider : ExtensionIdProvider<JournalExtension>
{
    /// <inheritdoc />
    public override JournalExtension CreateExtension(ExtendedActorSystem system) => new(system);
}
