// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Sandboxes;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="SandboxEvents"/>.</summary>
internal static class SandboxForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("sandbox.created:1", V1.SandboxCreated.Parser,
            (SandboxEvents.Created e) => new V1.SandboxCreated { Sandbox = Write(e.Sandbox) },
            m => new SandboxEvents.Created(Read(m.Sandbox))),
        EventForm.Of("sandbox.updated:1", V1.SandboxUpdated.Parser,
            (SandboxEvents.Updated e) => new V1.SandboxUpdated { Sandbox = Write(e.Sandbox) },
            m => new SandboxEvents.Updated(Read(m.Sandbox))),
        EventForm.Of("sandbox.deleted:1", V1.SandboxDeleted.Parser,
            (SandboxEvents.Deleted e) => new V1.SandboxDeleted { IsLast = e.IsLast },
            m => new SandboxEvents.Deleted(m.IsLast)),
        EventForm.Of("sandbox.run-requested:1", V1.SandboxRunRequested.Parser,
            (SandboxEvents.RunRequested e) => new V1.SandboxRunRequested
            {
                Sandboxer = e.Sandboxer, RuntimeName = e.RuntimeName, NetworkNamespace = e.NetworkNamespace,
            },
            m => new SandboxEvents.RunRequested(m.Sandboxer, m.RuntimeName, m.NetworkNamespace)),
        EventForm.Of("sandbox.run-created:1", V1.SandboxRunCreated.Parser,
            (SandboxEvents.RunCreated e) => new V1.SandboxRunCreated { Address = e.Address, Version = e.Version },
            m => new SandboxEvents.RunCreated(m.Address, m.Version)),
        EventForm.Of("sandbox.run-failed:1", V1.SandboxRunFailed.Parser,
            (SandboxEvents.RunFailed e) => new V1.SandboxRunFailed { Error = Values.Error(e.Error), IsLast = e.IsLast },
            m => new SandboxEvents.RunFailed(Values.Error(m.Error), m.IsLast)),
        EventForm.Of("sandbox.start-requested:1", V1.SandboxStartRequested.Parser,
            (SandboxEvents.StartRequested _) => new V1.SandboxStartRequested(),
            _ => new SandboxEvents.StartRequested()),
        EventForm.Of("sandbox.started:1", V1.SandboxStarted.Parser,
            (SandboxEvents.Started e) => new V1.SandboxStarted { Pid = e.Pid, CreatedAt = Values.Time(e.CreatedAt) },
            m => new SandboxEvents.Started(m.Pid, Values.Time(m.CreatedAt))),
        EventForm.Of("sandbox.stop-requested:1", V1.SandboxStopRequested.Parser,
            (SandboxEvents.StopRequested e) => new V1.SandboxStopRequested { TimeoutSeconds = e.TimeoutSeconds },
            m => new SandboxEvents.StopRequested(m.TimeoutSeconds)),
        EventForm.Of("sandbox.exited:1", V1.SandboxExited.Parser,
            (SandboxEvents.Exited e) => new V1.SandboxExited { Status = e.Status, ExitedAt = Values.Time(e.ExitedAt) },
            m => new SandboxEvents.Exited(m.Status, Values.Time(m.ExitedAt))),
        EventForm.Of("sandbox.shutdown-requested:1", V1.SandboxShutdownRequested.Parser,
            (SandboxEvents.ShutdownRequested _) => new V1.SandboxShutdownRequested(),
            _ => new SandboxEvents.ShutdownRequested()),
        EventForm.Of("sandbox.shut-down:1", V1.SandboxShutDown.Parser,
            (SandboxEvents.ShutDown e) => new V1.SandboxShutDown { IsLast = e.IsLast },
            m => new SandboxEvents.ShutDown(m.IsLast)),
        EventForm.Of("sandbox.lost:1", V1.SandboxLost.Parser,
            (SandboxEvents.Lost e) => new V1.SandboxLost { Reason = e.Reason, IsLast = e.IsLast },
            m => new SandboxEvents.Lost(m.Reason, m.IsLast)),
    ];

    private static V1.StoredSandbox Write(SandboxRecord sandbox)
    {
        V1.StoredSandbox stored = new()
        {
            Id = sandbox.Id,
            RuntimeName = sandbox.RuntimeName,
            RuntimeOptions = Values.Any(sandbox.RuntimeOptions),
            Spec = Values.Any(sandbox.Spec),
            Sandboxer = sandbox.Sandboxer,
            CreatedAt = Values.Time(sandbox.CreatedAt),
            UpdatedAt = Values.Time(sandbox.UpdatedAt),
        };
        foreach ((string key, AnyValue value) in sandbox.Extensions)
        {
            stored.Extensions.Add(key, Values.Any(value));
        }

        return stored.WithLabels(stored.Labels, sandbox.Labels);
    }

    private static SandboxRecord Read(V1.StoredSandbox? stored)
    {
        if (stored is null)
        {
            throw new FormatException("the sandbox is missing");
        }

        SandboxRecord empty = new(stored.Id);
        return empty with
        {
            Labels = Labels.From(stored.Labels),
            RuntimeName = stored.RuntimeName,
            RuntimeOptions = Values.Any(stored.RuntimeOptions),
            Spec = Values.Any(stored.Spec),
            Extensions = empty.Extensions.SetItems(stored.Extensions.Select(pair => KeyValuePair.Create(pair.Key, Values.Any(pair.Value)!))),
            Sandboxer = stored.Sandboxer,
            CreatedAt = Values.Time(stored.CreatedAt),
            UpdatedAt = Values.Time(stored.UpdatedAt),
        };
    }
}
