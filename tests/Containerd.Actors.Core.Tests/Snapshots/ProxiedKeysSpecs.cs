// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Core.Tests.Namespaces;
using Containerd.Actors.Protocol.Messages;
using static Containerd.Actors.Core.Tests.Namespaces.Samples;

namespace Containerd.Actors.Core.Tests.Snapshots;

public sealed class ProxiedKeysSpecs
{
    [Theory]
    [InlineData("default/7/a/b", 7L)]
    [InlineData("default/7", null)]
    [InlineData("sha256:abc", null)]
    [InlineData("a/-1/b", null)]
    public void A_key_has_a_number_if_it_was_made_here(string key, long? number) => Assert.Equal(number, ProxiedKeys.Number(key));

    [Fact]
    public void Children_go_before_their_parents_and_what_is_known_stays_with_its_parents()
    {
        ProxiedSnapshot[] held =
        [
            Held("ns/1/base", ""), Held("ns/2/middle", "ns/1/base"), Held("ns/3/top", "ns/2/middle"),
            Held("ns/4/kept", "ns/1/base"), Held("own", ""),
        ];
        ImmutableArray<string> most = ProxiedKeys.Condemned(held, new HashSet<string> { "ns/4/kept" }, _ => true);
        Assert.Equal(["ns/2/middle", "ns/3/top", "own"], most.Order(StringComparer.Ordinal));
        Assert.True(most.IndexOf("ns/3/top") < most.IndexOf("ns/2/middle"));
        ImmutableArray<string> numbered = ProxiedKeys.Condemned(held, new HashSet<string>(), number => number is not null);
        Assert.Equal("ns/1/base", numbered[^1]);
        Assert.Equal(4, numbered.Length);
        Assert.Equal("own", Assert.Single(ProxiedKeys.Condemned(held, new HashSet<string>(), number => number is null or < 3)));
    }

    [Fact]
    public void What_a_plugin_had_already_is_recorded_and_told_to_exist()
    {
        NamespaceState state = Empty.Then(Empty.Decide(new LeaseCommands.Create(Ns, "l", Labels(), By), Now));
        var adopt = new SnapshotCommands.Adopt(Ns, "far", "chain", "", Labels(("a", "1")), 9, "own-key", Under("l"));
        Assert.Equal("target snapshot \"chain\": already exists", state.Decide(adopt, Now).Refusal());
        NamespaceState adopted = state.After(state.Decide(adopt, Now));
        SnapshotRecord record = adopted.Snapshot("far", "chain").Value;
        Assert.Equal((SnapshotKind.Committed, "own-key", 9L), (record.Kind, record.BackendKey, record.Backend));
        Assert.Contains(adopted.Leases["l"].Resources, resource => resource.Id == "chain");
        Assert.Equal("parent snapshot p does not exist: not found", state.Decide(adopt with { Parent = "p" }, Now).Refusal());
        Assert.Empty(adopted.Decide(adopt with { Caller = By }, Now).Events);
    }

    [Fact]
    public void A_commit_takes_the_key_of_the_plugin_along()
    {
        NamespaceState state = Empty.Then(Empty.Decide(
            new SnapshotCommands.Prepare(Ns, "far", SnapshotKind.Active, "k", "", Labels(), 9, By) { BackendKey = "default/9/k" }, Now));
        Assert.Equal("default/9/k", state.Snapshot("far", "k").Value.BackendKey);
        state = state.Then(state.Decide(
            new SnapshotCommands.Commit(Ns, "far", "n", "k", Labels(), "", new SnapshotUsage(1, 1), By) { BackendKey = "default/9/n" }, Now));
        Assert.Equal("default/9/n", Assert.IsType<Done<SnapshotRecord>>(state.Snapshot("far", "n")).Result.BackendKey);
    }

    private static ProxiedSnapshot Held(string key, string parent) => new(key, parent, SnapshotKind.Committed, Labels());
}
