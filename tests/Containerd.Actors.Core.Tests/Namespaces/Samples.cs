// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using LabelMap = Containerd.Actors.Protocol.Values.Labels;

namespace Containerd.Actors.Core.Tests.Namespaces;

/// <summary>What the tests of one namespace share.</summary>
internal static class Samples
{
    public const string Ns = "default";

    public static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static readonly NamespaceState Empty = new(Ns);

    public static Caller By { get; } = new(Principal.User(0, 0, 1, "/usr/bin/ctr"));

    public static Caller Under(string lease) => By with { Lease = lease };

    public static Digest Digest(int number) => Oci.Images.Digest.Of(BitConverter.GetBytes(number));

    public static Descriptor Target(int number) => new("application/vnd.oci.image.manifest.v1+json", Digest(number), 10);

    public static ImmutableSortedDictionary<string, string> Labels(params (string Name, string Value)[] labels) =>
        LabelMap.From(labels.Select(label => KeyValuePair.Create(label.Name, label.Value)));

    public static NamespaceState After<T>(this NamespaceState state, Decision<T> decision) =>
        decision.Events.Aggregate(state, (now, e) => now.Apply(e));

    /// <summary>The state after a decision that was no refusal.</summary>
    public static NamespaceState Then<T>(this NamespaceState state, Decision<T> decision)
    {
        Assert.IsType<Done<T>>(decision.Reply);
        return state.After(decision);
    }

    public static string Refusal<T>(this Decision<T> decision) => Assert.IsType<Refused<T>>(decision.Reply).Error.Text;
}
