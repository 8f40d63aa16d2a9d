// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Namespaces;
using static Containerd.Actors.Core.Tests.Namespaces.Samples;

namespace Containerd.Actors.Core.Tests.Content;

public sealed class ContentSourceSpecs
{
    private const string Label = "containerd.io/distribution.source.docker.io";

    private static readonly NamespaceState One = Empty.Then(Empty.Decide(new ContentCommands.Add(Ns, Digest(1), 1, Labels(), "", By), Now));

    [Fact]
    public void Repositories_are_added_to_those_that_are_known_sorted_and_once()
    {
        NamespaceState state = One;
        foreach (string repository in new[] { "library/redis", "library/alpine", "library/redis" })
        {
            state = state.Then(state.Decide(new ContentCommands.AddSource(Ns, Digest(1), "docker.io", repository, By), Now));
        }

        Assert.Equal("library/alpine,library/redis", state.Content[Digest(1)].Labels[Label]);
    }

    [Fact]
    public void What_is_known_already_changes_nothing()
    {
        NamespaceState state = One.Then(One.Decide(new ContentCommands.AddSource(Ns, Digest(1), "docker.io", "a", By), Now));
        Assert.Empty(state.Decide(new ContentCommands.AddSource(Ns, Digest(1), "docker.io", "a", By), Now).Events);
    }

    [Fact]
    public void A_list_that_would_grow_too_long_stays_as_it_is()
    {
        NamespaceState state = One.Then(One.Decide(new ContentCommands.AddSource(Ns, Digest(1), "docker.io", "a", By), Now));
        Assert.Empty(state.Decide(new ContentCommands.AddSource(Ns, Digest(1), "docker.io", new string('b', 4096), By), Now).Events);
    }

    [Fact]
    public void A_blob_that_is_not_visible_is_refused() => Assert.Equal(
        $"content digest {Digest(2)}: not found", One.Decide(new ContentCommands.AddSource(Ns, Digest(2), "docker.io", "a", By), Now).Refusal());
}
