// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Mounts;

/// <summary>Records of activations, and what keeps them.</summary>
public sealed class MountDecisionsSpecs
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Caller By = new(Principal.User(0, 0, 42, "/usr/bin/ctr"));
    private static readonly Caller Leased = By with { Lease = "l" };

    [Fact]
    public void The_first_activation_makes_its_namespace_and_is_recorded()
    {
        Decision<Activation> decision = new NamespaceState("default").Decide(Add("m"));
        Assert.Collection(
            decision.Events,
            first => Assert.IsType<NamespaceEvents.Created>(first),
            second => Assert.Equal("m", Assert.IsType<MountEvents.Activated>(second).Activation.Name));
    }

    [Fact]
    public void A_name_is_taken_until_it_is_deactivated()
    {
        NamespaceState state = After(new NamespaceState("default"), Add("m"));
        Assert.Equal("mount \"m\": already exists", Refusal(state.Decide(Add("m"))));
        Assert.Equal("mount \"m\": already exists", state.Refusal(Activate("m"))!.Text);
        Decision<Activation> removed = state.Decide(new ActivationCommands.Remove("default", "m", "", By));
        Assert.Equal(7, removed.Reply.Value.Number);
        state = removed.Events.Aggregate(state, (now, e) => now.Apply(e));
        Assert.Null(state.Refusal(Activate("m")));
        Assert.Equal("mount \"m\" not found", Refusal(state.Decide(new ActivationCommands.Remove("default", "m", "", By))));
        Assert.Equal("mount \"m\" not found", Assert.IsType<Refused<Activation>>(state.Activation("m")).Error.Text);
    }

    [Fact]
    public void What_cannot_be_recorded_is_refused_before_anything_is_mounted()
    {
        NamespaceState state = new("default");
        Assert.Equal("mount name must not be empty: invalid argument", state.Refusal(Activate(""))!.Text);
        Assert.Equal("lease does not exist: not found", state.Refusal(Activate("m") with { By = Leased })!.Text);
        Assert.Equal("lease does not exist: not found", Refusal(state.Decide(Add("m") with { Caller = Leased })));
        Assert.StartsWith("label key and value length", state.Refusal(Activate("m") with { Labels = Labels.None.Add("k", new string('v', 5000)) })!.Text, StringComparison.Ordinal);
        Assert.Equal("mount \"m\": 256 mounts are more than 255: invalid argument", state.Refusal(Activate("m", 256))!.Text);
    }

    [Fact]
    public void A_state_and_its_savepoint_hold_the_same_activations()
    {
        NamespaceState state = After(After(new NamespaceState("default"), Add("a")), Add("b"));
        NamespaceState again = state.ToSavepoint().Events.Aggregate(new NamespaceState("default"), (now, e) => now.Apply(e));
        Assert.Equal(state.Activations.Values, again.Activations.Values);
    }

    [Fact]
    public void Nothing_keeps_an_activation_by_itself()
    {
        NamespaceState state = After(new NamespaceState("default"), Add("m"));
        Decision<Collected> collected = Collect(state);
        Assert.Equal(new GarbageNode(GarbageKind.Mount, "m"), Assert.Single(collected.Reply.Value.Removed).Node);
        Assert.Empty(collected.Reply.Value.Activations);
        Assert.Equal("nothing refers to it", Assert.IsType<MountEvents.Deactivated>(Assert.Single(collected.Events)).Reason);
        Assert.Equal("nothing refers to it", Mark.Of(state, [], [], Now).Explain("m").Value.Single().Verdict);
    }

    [Theory]
    [InlineData("")]
    [InlineData("containerd.io/gc.flat")]
    public void Its_lease_keeps_an_activation_as_long_as_it_lasts(string label)
    {
        ImmutableSortedDictionary<string, string> labels = label.Length > 0 ? Labels.None.Add(label, "true") : Labels.None;
        NamespaceState state = new NamespaceState("default")
            .Apply(new NamespaceEvents.Created(Labels.None)).Apply(new LeaseEvents.Created("l", labels, Now));
        state = After(state, Add("m") with { Caller = Leased });
        Assert.Equal(7, Assert.Single(Collect(state).Reply.Value.Activations));
        GarbageExplanation why = Mark.Of(state, [], [], Now).Explain("m").Value.Single();
        Assert.Equal(("kept by lease l", "made under the lease"), (why.Verdict, why.Kept[^1].Reason));
        Assert.Empty(state.Leases["l"].Listed());
        state = state.Apply(new LeaseEvents.Deleted("l"));
        Assert.Equal("m", Assert.Single(Collect(state).Reply.Value.Removed).Node.Id);
    }

    [Theory]
    [InlineData("containerd.io/gc.bref.container", "c", true)]
    [InlineData("containerd.io/gc.bref.container.task", "c", true)]
    [InlineData("containerd.io/gc.bref.container/task", "c", true)]
    [InlineData("containerd.io/gc.bref.container", "other", false)]
    [InlineData("containerd.io/gc.ref.container", "c", false)]
    [InlineData("containerd.io/gc.root", "c", false)]
    public void Its_own_labels_name_what_keeps_an_activation(string label, string value, bool keeps)
    {
        NamespaceState state = After(new NamespaceState("default"), Add("m", label, value));
        ContainerRoot container = new("c", "", "", Labels.None);
        Assert.Equal(keeps, Mark.Of(state, [container], [], Now).Keeps(new GarbageNode(GarbageKind.Mount, "m")));
    }

    [Fact]
    public void Labels_of_others_may_keep_an_activation()
    {
        NamespaceState state = After(new NamespaceState("default"), Add("m"));
        ContainerRoot container = new("c", "", "", Labels.None.Add("containerd.io/gc.ref.mount.0", "m"));
        Assert.True(Mark.Of(state, [container], [], Now).Keeps(new GarbageNode(GarbageKind.Mount, "m")));
    }

    private static Decision<Collected> Collect(NamespaceState state) =>
        state.Decide(new NamespaceCommands.Collect("default", [], By), [], Now);

    private static NamespaceState After(NamespaceState state, ActivationCommands.Add command)
    {
        Decision<Activation> decision = state.Decide(command);
        Assert.IsType<Done<Activation>>(decision.Reply);
        return decision.Events.Aggregate(state, (now, e) => now.Apply(e));
    }

    private static string Refusal(Decision<Activation> decision)
    {
        Assert.Empty(decision.Events);
        return Assert.IsType<Refused<Activation>>(decision.Reply).Error.Text;
    }

    private static MountCommands.Activate Activate(string name, int mounts = 1) =>
        new("default", name, [.. Enumerable.Repeat(new Mount("erofs", "/s", "", []), mounts)], Labels.None, false, By);

    private static ActivationCommands.Add Add(string name, string label = "", string value = "") => new(
        "default",
        new Activation(
            name,
            7,
            [new ActiveMount(new Mount("erofs", "/s", "", []), "/t/7/0", Now)],
            [new Mount("bind", "/t/7/0", "", ["rbind"])],
            label.Length > 0 ? Labels.None.Add(label, value) : Labels.None,
            "",
            Now),
        By);
}
