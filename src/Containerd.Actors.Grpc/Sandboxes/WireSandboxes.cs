// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Values;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Sandboxes;

/// <summary>Between sandboxes on the wire and <see cref="SandboxRecord"/>.</summary>
internal static class WireSandboxes
{
    public static SandboxRecord FromWire(Sandbox? wire) => wire is null ? new SandboxRecord("") : new SandboxRecord(wire.SandboxId)
    {
        Labels = Labels.From(wire.Labels),
        RuntimeName = wire.Runtime?.Name ?? "",
        RuntimeOptions = wire.Runtime?.Options.ToValue(),
        Spec = wire.Spec.ToValue(),
        Extensions = ImmutableSortedDictionary.Create<string, AnyValue>(StringComparer.Ordinal).SetItems(
            wire.Extensions.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.ToValue()!))),
        Sandboxer = wire.Sandboxer,
    };

    public static Sandbox ToWire(SandboxRecord record)
    {
        Sandbox wire = new()
        {
            SandboxId = record.Id,
            Runtime = new Sandbox.Types.Runtime { Name = record.RuntimeName, Options = record.RuntimeOptions.ToAny() },
            Spec = record.Spec.ToAny(),
            Labels = { record.Labels },
            CreatedAt = Timestamp.FromDateTimeOffset(record.CreatedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(record.UpdatedAt),
            Sandboxer = record.Sandboxer,
        };
        foreach ((string key, AnyValue value) in record.Extensions)
        {
            wire.Extensions.Add(key, value.ToAny());
        }

        return wire;
    }
}
