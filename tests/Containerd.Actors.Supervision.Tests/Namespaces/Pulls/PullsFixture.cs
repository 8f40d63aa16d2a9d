// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Registry;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Containerd.Actors.Supervision.Verifiers;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

/// <summary>Pulls of an image of two layers into a tree of which one actor knows what is asked of it.</summary>
public abstract class PullsFixture() : TestKit("akka.persistence.journal.plugin = \"akka.persistence.journal.inmem\"")
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    protected static PullCommands.Pull Pull { get; } = new(
        "ns",
        "registry.test/library/image:1",
        new PullWish
        {
            Names = [new PullName("registry.test/library/image:1")],
            Platforms = PlatformSelection.Best(new Platform("linux", "amd64")),
            Unpacks = [new PullUnpack(null, "overlayfs")],
        },
        PullSource.Default,
        GoesOn: false,
        Caller.Policy("test"));

    /// <summary>Where the image comes from.</summary>
    private protected FakeSource Source { get; set; } = new();

    /// <summary>Bounds of pulls; those of time are long, but for the pauses between attempts.</summary>
    internal static PullSettings Bounds(int unpacksMax = 1, int arrivalsMax = 0) => new(
        4, unpacksMax, arrivalsMax, TimeSpan.FromSeconds(10), Patience, TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(10), 1 << 20, 2, 16, VerifierSettings.None, new RegistrySettings());

    /// <summary>What a layer holds, as the image's configuration says it.</summary>
    protected Digest DiffIdOf(Digest layer) => layer == Source.Layers[0].Digest ? Source.DiffIds[0] : Source.DiffIds[1];

    /// <summary>Pulls of the namespace, on a tree that answers so.</summary>
    private protected IActorRef Pulls(TreeScript script, PullSettings settings)
    {
        IActorRef tree = Sys.ActorOf(Props.Create(() => new FakeTree(script)));
        return Sys.ActorOf(PullsSupervisor.Props("ns", tree, Sources, settings, _ => [], TimeProvider.System));

        IImageSource Sources(Oci.References.ImageReference reference, PullSource source, Registry.Authentication.ICredentialStore? asked)
        {
            Source.Credentials = asked;
            return Source;
        }
    }

    /// <summary>A probe that asks for a pull.</summary>
    protected TestProbe Ask(IActorRef pulls, PullCommands.Pull pull)
    {
        TestProbe watcher = CreateTestProbe();
        pulls.Tell(pull, watcher);
        return watcher;
    }

    protected static async Task<PullProgress> FinalOf(TestProbe watcher) =>
        await watcher.FishForMessageAsync<PullProgress>(progress => progress.IsFinal, Patience);
}
