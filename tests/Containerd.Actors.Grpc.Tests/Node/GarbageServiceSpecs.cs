// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Grpc.Node;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Trees;
using Containerd.Node.V1;
using GarbageStep = Containerd.Actors.Core.GarbageCollection.GarbageStep;

namespace Containerd.Actors.Grpc.Tests.Node;

/// <summary>Garbage collection on request and its reasons, as the node service tells them.</summary>
public sealed class GarbageServiceSpecs : IDisposable
{
    private static readonly GarbageNode Layer = new(GarbageKind.Snapshot, "chain", "overlayfs");
    private readonly ActorSystem _system = ActorSystem.Create("node", "akka.loglevel = OFF");

    public void Dispose() => _system.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_tells_what_went(bool isDry)
    {
        var run = new GarbageRun(1, new Swept(2, 30), new Swept(4, 0), TimeSpan.FromMilliseconds(5))
        {
            Things = [("default", new Condemned(Layer, 7, "nothing refers to it"))],
        };
        using var tree = new ScriptedTree(_ => Reply.Done(run));
        CollectResponse response = await Service(tree).Collect(new CollectRequest { DryRun = isDry }, FakeCall.In("default"));
        Assert.Equal(isDry, Assert.IsType<GarbageCommands.Run>(Assert.Single(tree.Asked)).IsDry);
        Assert.Equal((2L, 30L, 4L, 5000L), (response.Blobs, response.BlobBytes, response.Directories, response.Microseconds));
        Assert.Equal(
            new CondemnedThing
            {
                Namespace = "default",
                Thing = new GarbageThing { Kind = "snapshot", Id = "chain", Snapshotter = "overlayfs" },
                Bytes = 7,
                Reason = "nothing refers to it",
            },
            Assert.Single(response.Removed));
    }

    [Fact]
    public async Task A_thing_is_explained_in_the_namespace_of_the_call()
    {
        var root = new GarbageStep(new GarbageNode(GarbageKind.Lease, "l"), "lease");
        GarbageExplanation explanation = new(Layer, [root, new GarbageStep(Layer, "resource of the lease")], [], "kept by lease l");
        using var tree = new ScriptedTree(_ => Reply.Done(ImmutableArray.Create(explanation)));
        ExplainResponse response = await Service(tree).Explain(new ExplainRequest { Name = "chain" }, FakeCall.In("k8s.io"));
        Assert.Equal(new GarbageCommands.Explain("k8s.io", "chain"), Assert.Single(tree.Asked));
        Explanation told = Assert.Single(response.Explanations);
        Assert.Equal((true, "kept by lease l", 2), (told.Kept, told.Verdict, told.Path.Count));
        Assert.Equal(("lease", "l", "lease"), (told.Path[0].Thing.Kind, told.Path[0].Thing.Id, told.Path[0].Reason));
    }

    [Fact]
    public async Task A_question_about_nothing_is_refused()
    {
        using var tree = new ScriptedTree(_ => throw new InvalidOperationException());
        var refused = await Assert.ThrowsAsync<RefusedException>(() => Service(tree).Explain(new ExplainRequest(), FakeCall.In("default")));
        Assert.Equal("name must not be empty: invalid argument", refused.Error.Text);
    }

    private NodeService Service(ScriptedTree tree) => new(new NoTree(), tree.Tree, _system);

    private sealed class NoTree : ILiveTree
    {
        public ImmutableArray<LiveActor> Walk() => [];
    }
}
