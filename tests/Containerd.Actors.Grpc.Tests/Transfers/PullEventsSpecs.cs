// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Transfers;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Tests.Transfers;

public sealed class PullEventsSpecs
{
    private const string Reference = "docker.io/library/redis:7";

    private static readonly Descriptor Index = new(MediaTypes.OciIndex, Digest.Of("index"u8), 5);
    private static readonly Descriptor Manifest = new(MediaTypes.OciManifest, Digest.Of("manifest"u8), 8);
    private static readonly Descriptor Layer = new(MediaTypes.OciLayerGzip, Digest.Of("layer"u8), 100);

    private static readonly PullProgress Start = new("pull", Reference, PullStage.Resolving, [], null, null);
    private static readonly PullProgress Resolved = Start with { Root = Index };

    [Fact]
    public void What_the_reference_stands_for_is_told_once()
    {
        Progress[] told = [.. PullEvents.Between(Start, Resolved)];
        Assert.Equal([$"Pulling from OCI Registry ({Reference})", "fetching image content"], told.Select(progress => progress.Event));
        Assert.Equal(("", Reference), (told[0].Name, told[1].Name));
        Assert.Equal(Index.Digest.ToString(), told[1].Desc.Digest);
        Assert.Empty(PullEvents.Between(Resolved, Resolved));
    }

    [Fact]
    public void Documents_hang_below_what_names_them()
    {
        PullProgress now = Resolved with { Documents = [Of(Index, LayerStage.Done), Of(Manifest, LayerStage.Done) with { Parents = [Index.Digest] }] };
        Progress[] told = [.. PullEvents.Between(Resolved, now)];
        Assert.Equal(["waiting", "complete", "waiting", "complete"], told.Select(progress => progress.Event));
        Assert.Equal(($"index-{Index.Digest}", Reference), (told[0].Name, Assert.Single(told[0].Parents)));
        Assert.Equal(($"manifest-{Manifest.Digest}", $"index-{Index.Digest}"), (told[2].Name, Assert.Single(told[2].Parents)));
    }

    [Fact]
    public void A_layer_is_told_step_by_step()
    {
        LayerProgress layer = Of(Layer, LayerStage.Waiting) with { IsUnpacked = true };
        Assert.Equal(
            ["waiting", "downloading 40/100", "downloading 90/100", "complete 100/100", "extracting 100/100", "extracted 100/100"],
            Told(
                layer,
                layer with { Stage = LayerStage.Fetching },
                layer with { Stage = LayerStage.Fetching, Offset = 40 },
                layer with { Stage = LayerStage.Fetching, Offset = 90 },
                layer with { Stage = LayerStage.Stored, Offset = 100 },
                layer with { Stage = LayerStage.Unpacking, Offset = 100 },
                layer with { Stage = LayerStage.Done, Offset = 100 }));
    }

    [Fact]
    public void Steps_between_two_moments_are_told_all_the_same() => Assert.Equal(
        ["waiting", "complete 100/100", "extracting 100/100", "extracted 100/100"],
        Told(Of(Layer, LayerStage.Done) with { IsUnpacked = true, Offset = 100 }));

    [Fact]
    public void What_was_there_is_told_to_exist_and_what_is_not_unpacked_is_not_told_to_be()
    {
        Assert.Equal(["already exists 100/100"], Told(Of(Layer, LayerStage.Done) with { WasThere = true, Offset = 100 }));
        Assert.Equal(["waiting", "complete 100/100"], Told(Of(Layer, LayerStage.Done) with { Offset = 100 }));
    }

    [Fact]
    public void The_end_names_what_was_saved()
    {
        Progress[] told = [.. PullEvents.Between(Resolved, Resolved with { Stage = PullStage.Completed, Names = ["a", "b"] })];
        Assert.Equal(["saved", "saved", $"Completed pull from OCI Registry ({Reference})"], told.Select(progress => progress.Event));
        Assert.Equal(["a", "b", ""], told.Select(progress => progress.Name));
    }

    private static LayerProgress Of(Descriptor descriptor, LayerStage stage) => new(descriptor, 0, stage);

    private static List<string> Told(params LayerProgress[] moments)
    {
        List<string> told = [];
        PullProgress before = Resolved;
        foreach (LayerProgress moment in moments)
        {
            PullProgress now = Resolved with { Layers = [moment] };
            told.AddRange(PullEvents.Between(before, now).Select(progress =>
                progress.Progress_ == 0 ? progress.Event : $"{progress.Event} {progress.Progress_}/{progress.Total}"));
            before = now;
        }

        return told;
    }
}
