// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Shim.Containers;
using Containerd.Actors.Shim.Sandboxes;
using Containerd.Actors.Shim.Starting;
using Containerd.Runc.V1;

namespace Containerd.Actors.Shim.Tests.Sandboxes;

/// <summary>What is left of a sandbox's containers when its shim was killed is found by the record in its bundle.</summary>
public sealed class SandboxMembersSpecs : IAsyncLifetime
{
    private ShimRig _rig = null!;

    public async Task InitializeAsync() => _rig = await ShimRig.StartAsync();

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public void A_member_is_noted_with_its_options_until_it_is_struck_out()
    {
        SandboxMembers members = new(_rig.Bundle("a"));
        Assert.Empty(members.All());
        members.Add("c", "/bundles/c", new Options { BinaryName = "crun" });
        members.Add("c", "/bundles/c", new Options { BinaryName = "runc" });
        (string id, string record, string bundle) = Assert.Single(members.All());
        Assert.Equal(("c", "/bundles/c", "runc"), (id, bundle, BundleFiles.ReadOptions(record).BinaryName));
        members.Remove("c");
        members.Remove("c");
        Assert.Empty(members.All());
    }

    [Fact]
    public void A_record_that_was_not_finished_is_no_container()
    {
        string bundle = _rig.Bundle("a");
        Directory.CreateDirectory(Path.Combine(bundle, "containers", "c"));
        Assert.Empty(new SandboxMembers(bundle).All());
    }

    [Fact]
    public async Task The_action_delete_of_a_sandbox_removes_its_containers_also_when_their_bundles_are_gone()
    {
        string bundle = _rig.Bundle("a");
        SandboxMembers members = new(bundle);
        members.Add("c", _rig.Bundle("c"), _rig.Options);
        members.Add("d", "/no/such/bundle", _rig.Options);
        await CleanUpAsync(bundle);
        Assert.Equal(["delete force c", "delete force d"], _rig.Calls.Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_action_delete_asks_the_runtime_only_for_what_it_may_have(bool hasContainer)
    {
        string bundle = _rig.Bundle("a");
        if (hasContainer)
        {
            BundleFiles.WriteOptions(bundle, _rig.Options);
        }

        await CleanUpAsync(bundle);
        Assert.Equal(hasContainer ? ["delete force a"] : [], _rig.Calls);
    }

    [Fact]
    public void Options_that_start_was_given_reach_the_server_whole()
    {
        string bundle = _rig.Bundle("a");
        Assert.Equal(new Options(), BundleFiles.ReadStartOptions(bundle));
        Options given = new() { BinaryName = "crun", Root = "/r", NoPivotRoot = true, IoUid = 7 };
        BundleFiles.WriteStartOptions(bundle, given);
        Assert.Equal(given, BundleFiles.ReadStartOptions(bundle));
    }

    private static Task CleanUpAsync(string bundle) =>
        DeleteAction.CleanUpAsync(ShimArguments.Parse(["-namespace", ShimRig.Ns, "-id", "a", "-address", "/d.sock", "-bundle", bundle, "delete"]), bundle);
}
