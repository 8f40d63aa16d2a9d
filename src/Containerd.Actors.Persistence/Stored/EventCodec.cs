// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;
using Containerd.Actors.Core.Events;
using Google.Protobuf;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Turns domain events into manifest and bytes, and back.</summary>
public static class EventCodec
{
    /// <summary>Every form there is. A new event or version is one more line in its family.</summary>
    internal static IReadOnlyList<EventForm> Forms { get; } =
    [
        .. NamespaceForms.All, .. ImageForms.All, .. LeaseForms.All, .. ContentForms.All, .. SnapshotForms.All, .. MountForms.All,
        .. ContainerForms.All, .. TaskForms.All, .. SandboxForms.All, .. PullForms.All, .. TransferForms.All,
        .. NodeForms.All, .. RetentionForms.All,
    ];

    private static readonly FrozenDictionary<string, EventForm> ByManifest = Forms.ToFrozenDictionary(form => form.Manifest);

    private static readonly FrozenDictionary<Type, EventForm> ByType = Forms.ToFrozenDictionary(form => form.EventType);

    /// <summary>The manifest under which an event is stored, for example <c>task.exited:1</c>.</summary>
    /// <exception cref="NotSupportedException">The event has no stored form.</exception>
    public static string Manifest(DomainEvent value) => value is UnreadableEvent unreadable ? unreadable.Manifest : Form(value).Manifest;

    /// <summary>The event as manifest and bytes.</summary>
    /// <exception cref="NotSupportedException">The event has no stored form.</exception>
    public static (string Manifest, byte[] Payload) Write(DomainEvent value)
    {
        EventForm form = Form(value);
        return (form.Manifest, form.Write(value).ToByteArray());
    }

    /// <summary>The event in stored bytes.</summary>
    /// <exception cref="FormatException">The manifest is not known, or the bytes are not what it says.</exception>
    public static DomainEvent Read(string manifest, ReadOnlySpan<byte> payload)
    {
        if (!ByManifest.TryGetValue(manifest, out EventForm? form))
        {
            throw new FormatException($"unknown manifest \"{manifest}\"");
        }

        try
        {
            return form.Read(payload);
        }
        catch (Exception damaged) when (damaged is InvalidProtocolBufferException or FormatException)
        {
            throw new FormatException($"damaged payload of \"{manifest}\": {damaged.Message}", damaged);
        }
    }

    private static EventForm Form(DomainEvent value) =>
        ByType.TryGetValue(value.GetType(), out EventForm? form)
            ? form
            : throw new NotSupportedException($"event {value.GetType().FullName} has no stored form");
}
