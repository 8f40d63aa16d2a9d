// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Sandboxes;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Sandboxes;

public sealed class UnpackedImageSpecs
{
    private static readonly Digest Index = Digest.Of([1]);
    private static readonly Digest Manifest = Digest.Of([2]);
    private static readonly Digest Config = Digest.Of([3]);

    [Fact]
    public void The_top_snapshot_is_found_from_the_index_over_the_configuration()
    {
        Assert.Equal("chain", UnpackedImage.TopSnapshot(State(), "pause", "overlayfs"));
        Assert.Null(UnpackedImage.TopSnapshot(State(), "pause", "native"));
        Assert.Null(UnpackedImage.TopSnapshot(State(), "other", "overlayfs"));
    }

    [Fact]
    public void A_snapshot_that_is_gone_is_not_told() =>
        Assert.Null(UnpackedImage.TopSnapshot(State() with { Snapshots = new NamespaceState("").Snapshots }, "pause", "overlayfs"));

    [Fact]
    public void Labels_that_lead_in_a_circle_end_the_search()
    {
        NamespaceState state = State();
        state = state with { Content = state.Content.SetItem(Config, Content(Config, ("containerd.io/gc.ref.content.0", Index.ToString()))) };
        Assert.Null(UnpackedImage.TopSnapshot(state, "pause", "overlayfs"));
    }

    private static NamespaceState State()
    {
        NamespaceState empty = new("default");
        return empty with
        {
            Images = empty.Images.Add("pause", new ImageRecord("pause", new Descriptor("index", Index, 1), Labels.None, default, default)),
            Content = empty.Content
                .Add(Index, Content(Index, ("containerd.io/gc.ref.content.m.0", Manifest.ToString())))
                .Add(Manifest, Content(Manifest, ("containerd.io/gc.ref.content.config", Config.ToString()), ("containerd.io/gc.ref.content.l.0", "no digest")))
                .Add(Config, Content(Config, ("containerd.io/gc.ref.snapshot.overlayfs", "chain"))),
            Snapshots = empty.Snapshots.Add(
                new SnapshotName("overlayfs", "chain"),
                new SnapshotRecord("overlayfs", "chain", "", SnapshotKind.Committed, Labels.None, 1, null, default, default)),
        };
    }

    private static ContentRecord Content(Digest digest, params (string Name, string Value)[] labels) =>
        new(digest, 1, Labels.From(labels.Select(label => KeyValuePair.Create(label.Name, label.Value))), default, default);
}
