// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using static Containerd.Actors.Core.Tests.Namespaces.Samples;

namespace Containerd.Actors.Core.Tests.Leases;

public sealed class LeaseDecisionsSpecs
{
    private static readonly NamespaceState Leased =
        Empty.Then(Empty.Decide(new LeaseCommands.Create(Ns, "l", Labels(("k", "v")), By), Now));

    [Fact]
    public void A_lease_is_made_once() => Assert.Equal(
        "lease \"l\": already exists", Leased.Decide(new LeaseCommands.Create(Ns, "l", Labels(), By), Now).Refusal());

    [Fact]
    public void A_lease_that_does_not_exist_is_refused()
    {
        const string Error = "lease \"x\": not found";
        LeaseResource image = LeaseResources.Image("a");
        Assert.Equal(Error, Leased.Decide(new LeaseCommands.Delete(Ns, "x", By)).Refusal());
        Assert.Equal(Error, Leased.Decide(new LeaseCommands.AddResource(Ns, "x", image, By)).Refusal());
        Assert.Equal(Error, Leased.Decide(new LeaseCommands.RemoveResource(Ns, "x", image, By)).Refusal());
    }

    [Theory]
    [InlineData("content", "nonsense", "invalid content resource id nonsense: invalid checksum digest format: invalid argument")]
    [InlineData("content", "md5:00", "invalid content resource id md5:00: unsupported digest algorithm: invalid argument")]
    [InlineData("content", "sha256:00", "invalid content resource id sha256:00: invalid checksum digest length: invalid argument")]
    [InlineData("content/x", "nonsense", "invalid resource type content/x: invalid argument")]
    [InlineData("ingests/x", "r", "invalid resource type ingests/x: invalid argument")]
    [InlineData("snapshots", "k", "invalid snapshot resource type snapshots: invalid argument")]
    [InlineData("snapshots/", "k", "invalid snapshot resource type snapshots/: invalid argument")]
    [InlineData("mounts", "k", "resource type mounts not supported yet: not implemented")]
    public void What_a_lease_cannot_keep_is_refused(string type, string id, string error) => Assert.Equal(
        error, Leased.Decide(new LeaseCommands.AddResource(Ns, "l", new LeaseResource(type, id), By)).Refusal());

    [Fact]
    public void Resources_are_listed_by_kind()
    {
        NamespaceState state = Leased;
        foreach (LeaseResource resource in new[]
        {
            LeaseResources.Snapshot("overlayfs", "k"), LeaseResources.Ingest("r"), LeaseResources.Image("a"), LeaseResources.Content(Digest(1)),
        })
        {
            state = state.Then(state.Decide(new LeaseCommands.AddResource(Ns, "l", resource, By)));
        }

        Assert.Equal(["content", "images", "ingests", "snapshots/overlayfs"], state.Leases["l"].Listed().Select(resource => resource.Type));
        state = state.Then(state.Decide(new LeaseCommands.RemoveResource(Ns, "l", LeaseResources.Ingest("r"), By)));
        Assert.Equal(3, state.Leases["l"].Resources.Count);
    }

    [Fact]
    public void Adding_what_is_kept_already_changes_nothing()
    {
        var add = new LeaseCommands.AddResource(Ns, "l", LeaseResources.Image("a"), By);
        Assert.Empty(Leased.Then(Leased.Decide(add)).Decide(add).Events);
    }
}
