// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Snapshot;
using Akka.Serialization;
using Containerd.Actors.Persistence.Journals;

namespace Containerd.Actors.Persistence.Savepoints;

/// <summary>Akka's snapshot store: savepoints of entities, in a file of their own that may always be deleted.</summary>
public sealed class SqliteSnapshotStore : SnapshotStore
{
    /// <summary>HOCON path of the plugin.</summary>
    public const string Path = "akka.persistence.snapshot-store.containerd";

    private readonly SavepointFile _file;
    private readonly Akka.Serialization.Serialization _serialization;
    private readonly JournalExtension _journal;
    private readonly IReadOnlyList<SavepointForm> _forms;

    /// <summary>The snapshot store of the actor system in which this actor is made. Akka calls it by name.</summary>
    public SqliteSnapshotStore(Config config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _file = SavepointFile.Open(config.GetString("file"), config.GetTimeSpan("busy-timeout"));
        _serialization = Context.System.Serialization;
        _journal = JournalExtension.For(Context.System);
        IReadOnlyList<SavepointForm> own =
            Context.System.Settings.Setup.Get<SavepointSetup>() is { HasValue: true, Value: var setup } ? setup.Forms : [];
        _forms = [.. own, new EventsForm()];
    }

    /// <inheritdoc />
    protected override void PostStop()
    {
        _file.Dispose();
        base.PostStop();
    }

    /// <inheritdoc />
    protected override async Task<SelectedSnapshot?> LoadAsync(
        string persistenceId, SnapshotSelectionCriteria criteria, CancellationToken cancellationToken)
    {
        // A savepoint of an incarnation that has ended must not bring it back.
        IReadOnlyList<Savepoint> found = _file.Find(persistenceId, criteria);
        long endedAt = found.Count == 0 ? 0 : await _journal.EndedAt(persistenceId).ConfigureAwait(false);
        foreach (Savepoint savepoint in found)
        {
            if (savepoint.Sequence > endedAt && Restore(savepoint) is { } state)
            {
                DateTime at = new(savepoint.At, DateTimeKind.Utc);
                return new SelectedSnapshot(new SnapshotMetadata(persistenceId, savepoint.Sequence, at), state);
            }
        }

        return null;
    }

    /// <inheritdoc />
    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        SavepointForm? form = _forms.FirstOrDefault(candidate => candidate.StateType.IsInstanceOfType(snapshot));
        if (form is not null)
        {
            _file.Save(metadata, null, form.Manifest, form.Write(snapshot));
            return Task.CompletedTask;
        }

        Serializer serializer = _serialization.FindSerializerFor(snapshot);
        string manifest = Akka.Serialization.Serialization.ManifestFor(serializer, snapshot);
        byte[] payload = Akka.Serialization.Serialization.WithTransport(
            _serialization.System, (serializer, snapshot), static state => state.serializer.ToBinary(state.snapshot));
        _file.Save(metadata, serializer.Identifier, manifest, payload);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    protected override Task DeleteAsync(SnapshotMetadata metadata, CancellationToken cancellationToken)
    {
        _file.Delete(metadata);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria, CancellationToken cancellationToken)
    {
        _file.Delete(persistenceId, criteria);
        return Task.CompletedTask;
    }

    private object? Restore(Savepoint savepoint) => savepoint.Serializer is { } serializer
        ? _serialization.Deserialize(savepoint.Payload, serializer, savepoint.Manifest)
        : _forms.FirstOrDefault(form => form.Manifest == savepoint.Manifest)?.Read(savepoint.Payload);
}
