// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.TestKit;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Supervision.Diff;
using Containerd.Actors.Supervision.Tests.Namespaces;

namespace Containerd.Actors.Supervision.Tests.Diff;

public sealed class DiffActorSpecs : NamespacesFixture
{
    private static readonly Descriptor Layer = new("type", Digest.Of([1]), 1);

    [Fact]
    public async Task Differs_are_asked_in_order_until_one_serves_the_type()
    {
        FakeDiffer first = new("first", Error.NotImplemented("type"));
        FakeDiffer second = new("second", null);
        TestProbe executor = CreateTestProbe();
        IActorRef diff = await DiffAsync(executor, new DiffParts(["first", "walking", "second"], [first, second]));
        Task<Reply<Descriptor>> applying = Ask(diff, Apply());
        Execute given = executor.ExpectMsg<Execute>();
        Assert.Equal(Layer, Assert.IsType<DiffEffects.Apply>(given.Effect).Layer);
        executor.Reply(new Outcome.Refused(given.Effect, Error.NotImplemented("type")));
        Assert.Equal(Layer, (await applying).Value);
        Assert.Equal((1, 1), (first.Asked, second.Asked));
    }

    [Fact]
    public async Task A_differ_that_fails_otherwise_is_the_last_one_asked()
    {
        FakeDiffer first = new("first", Error.Unavailable("away"));
        TestProbe executor = CreateTestProbe();
        IActorRef diff = await DiffAsync(executor, new DiffParts(["first", "walking"], [first]));
        Assert.Equal("away: unavailable", await Refusal(diff, Apply()));
        executor.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public async Task Nobody_is_asked_for_content_that_the_namespace_does_not_see()
    {
        FakeDiffer first = new("first", null);
        IActorRef diff = await DiffAsync(CreateTestProbe(), new DiffParts(["first"], [first]));
        Descriptor other = Layer with { Digest = Digest.Of([9]) };
        Assert.Equal($"content digest {other.Digest}: not found", await Refusal(diff, Apply() with { Layer = other }));
        Assert.Equal(0, first.Asked);
    }

    [Fact]
    public async Task The_daemons_own_differ_tells_what_it_extracted()
    {
        TestProbe executor = CreateTestProbe();
        IActorRef diff = await DiffAsync(executor, DiffParts.Own);
        Task<Reply<Descriptor>> applying = Ask(diff, Apply() with { Payloads = ImmutableDictionary<string, AnyValue>.Empty.Add("p", new AnyValue("t", new byte[] { 1 })) });
        Execute given = executor.ExpectMsg<Execute>();
        Assert.Equal("p", Assert.Single(Assert.IsType<DiffEffects.Apply>(given.Effect).Payloads).Key);
        executor.Reply(new Outcome.Done(given.Effect, new AppliedLayer(Digest.Of([2]), 5)));
        Assert.Equal((AppliedLayer.MediaType, 5), ((await applying).Value.MediaType, (await applying).Value.Size));
    }

    [Fact]
    public async Task A_layer_without_its_parents_is_extracted_by_the_daemons_own_differ_which_tells_what_is_to_be_inherited()
    {
        TestProbe executor = CreateTestProbe();
        IActorRef diff = await DiffAsync(executor, DiffParts.Own);
        Task<Reply<ExtractedLayer>> extracting = Ask(diff, new DiffCommands.Extract(Ns, Layer, [], By));
        Execute given = executor.ExpectMsg<Execute>();
        Assert.Equal(Layer, Assert.IsType<DiffEffects.Apply>(given.Effect).Layer);
        executor.Reply(new Outcome.Done(given.Effect, new AppliedLayer(Digest.Of([2]), 5) { Inherited = ["", "etc"] }));
        ExtractedLayer layer = (await extracting).Value;
        Assert.Equal((Digest.Of([2]), 5L), (layer.Uncompressed.Digest, layer.Uncompressed.Size));
        Assert.Equal(["", "etc"], layer.Inherited.ToArray());
    }

    [Fact]
    public async Task A_layer_without_its_parents_is_refused_when_another_differ_comes_first()
    {
        TestProbe executor = CreateTestProbe();
        IActorRef other = await DiffAsync(executor, new DiffParts(["first", "walking"], [new FakeDiffer("first", null)]));
        Assert.Equal(
            "differ first extracts no layers whose parents come later: not implemented", await Refusal(other, new DiffCommands.Extract(Ns, Layer, [], By)));
        executor.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_layer_that_the_namespace_does_not_see_is_not_extracted()
    {
        TestProbe executor = CreateTestProbe();
        IActorRef diff = await DiffAsync(executor, DiffParts.Own);
        Descriptor unseen = Layer with { Digest = Digest.Of([9]) };
        Assert.Equal($"content digest {unseen.Digest}: not found", await Refusal(diff, new DiffCommands.Extract(Ns, unseen, [], By)));
        executor.ExpectNoMsg(TimeSpan.Zero);
    }

    private async Task<IActorRef> DiffAsync(TestProbe executor, DiffParts differs)
    {
        IActorRef ns = Namespace([]);
        await Do(ns, Blob(1));
        return Sys.ActorOf(DiffActor.Props(executor, ns, ActorRefs.Nobody, differs));
    }

    private static DiffCommands.Apply Apply() => new(Ns, Layer, [], false, By);

    private sealed class FakeDiffer(string name, Error? refusal) : IProxiedDiffer
    {
        private int _asked;

        public string Name => name;

        public int Asked => _asked;

        public Task<Descriptor> ApplyAsync(DiffCommands.Apply apply, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            return refusal is null ? Task.FromResult(apply.Layer) : throw new RefusedException(refusal);
        }

        public Task<Descriptor> CreateAsync(DiffCommands.Create create, CancellationToken cancellationToken) =>
            throw new RefusedException(Error.NotImplemented("create"));
    }
}
