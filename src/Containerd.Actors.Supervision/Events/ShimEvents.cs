// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Tasks;
using Google.Protobuf;

namespace Containerd.Actors.Supervision.Events;

/// <summary>What shims say of their tasks, as signals to those tasks.</summary>
public static class ShimEvents
{
    private const string TasksTopic = "/tasks/";

    // container_id is the first field of every task event, by containerd's definition of them.
    private const int ContainerIdField = 1;

    /// <summary>The signal for the task that an event is about; null for events that are about no task.</summary>
    public static object? ToSignal(EventCommands.Forward forward) =>
        forward.Topic.StartsWith(TasksTopic, StringComparison.Ordinal) && ContainerId(forward.Payload.Value) is { Length: > 0 } id
            ? new TaskSignals.Forwarded(forward.Namespace, id, forward.Topic, forward.Payload)
            : null;

    private static string? ContainerId(ReadOnlyMemory<byte> payload)
    {
        try
        {
            using CodedInputStream input = new(payload.ToArray());
            for (uint tag; (tag = input.ReadTag()) != 0; input.SkipLastField())
            {
                if (tag == WireFormat.MakeTag(ContainerIdField, WireFormat.WireType.LengthDelimited))
                {
                    return input.ReadString();
                }
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // Not one of containerd's events; it is published as it came.
        }

        return null;
    }
}
