// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Containerd.Actors.Core.Mounts;

namespace Containerd.Actors.Core.Audit;

// Events of mounts.
public static partial class AuditRendering
{
    private static void Write(Utf8JsonWriter writer, Activation activation)
    {
        Text(writer, "name", activation.Name);
        writer.WriteNumber("number", activation.Number);
        Text(writer, "lease", activation.Lease);
        Write(writer, activation.Labels);
        writer.WriteStartArray("active");
        foreach (ActiveMount active in activation.Active)
        {
            writer.WriteStartObject();
            Write(writer, active.Mount);
            Text(writer, "mount_point", active.MountPoint);
            writer.WriteString("mounted_at", active.MountedAt);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("system");
        foreach (Mount mount in activation.System)
        {
            writer.WriteStartObject();
            Write(writer, mount);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, Mount mount)
    {
        Text(writer, "type", mount.Type);
        Text(writer, "source", mount.Source);
        Text(writer, "target", mount.Target);
        Texts(writer, "options", mount.Options.Select(Redaction.Text));
    }
}
