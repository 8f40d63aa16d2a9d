// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Sandboxes;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Audit;

// Events of sandboxes.
public static partial class AuditRendering
{
    private static void WriteSandbox(Utf8JsonWriter writer, DomainEvent value)
    {
        switch (value)
        {
            case SandboxEvents.Created e: Write(writer, e.Sandbox); break;
            case SandboxEvents.Updated e: Write(writer, e.Sandbox); break;
            case SandboxEvents.RunRequested e:
                Text(writer, "sandboxer", e.Sandboxer);
                Text(writer, "runtime", e.RuntimeName);
                Text(writer, "network_namespace", e.NetworkNamespace);
                break;
            case SandboxEvents.RunCreated e: Text(writer, "address", e.Address); writer.WriteNumber("version", e.Version); break;
            case SandboxEvents.RunFailed e: Write(writer, e.Error); break;
            case SandboxEvents.Started e: writer.WriteNumber("pid", e.Pid); break;
            case SandboxEvents.StopRequested e: writer.WriteNumber("timeout_seconds", e.TimeoutSeconds); break;
            case SandboxEvents.Exited e: writer.WriteNumber("exit_status", e.Status); writer.WriteString("exited_at", e.ExitedAt); break;
            case SandboxEvents.Lost e: Text(writer, "reason", e.Reason); break;
            default: break; // Events without content, such as paused, are their name.
        }
    }

    private static void Write(Utf8JsonWriter writer, SandboxRecord sandbox)
    {
        Text(writer, "id", sandbox.Id);
        Text(writer, "runtime", sandbox.RuntimeName);
        Text(writer, "sandboxer", sandbox.Sandboxer);
        Write(writer, sandbox.Labels);
        Write(writer, "runtime_options", sandbox.RuntimeOptions);
        if (sandbox.Spec is { } spec)
        {
            Json(writer, "spec", spec.Value);
        }

        if (sandbox.Extensions.Count > 0)
        {
            writer.WriteStartObject("extensions");
            foreach ((string key, AnyValue extension) in sandbox.Extensions)
            {
                Write(writer, key, extension);
            }

            writer.WriteEndObject();
        }
    }
}
