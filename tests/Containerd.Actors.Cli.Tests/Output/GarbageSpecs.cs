// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Containerd.Actors.Cli.Commands;
using Containerd.Actors.Cli.Json;
using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Tests.Output;

public sealed class GarbageSpecs
{
    private static readonly GarbageThing Layer = new() { Kind = "snapshot", Id = "chain", Snapshotter = "overlayfs" };
    private static readonly GarbageThing Redis = new() { Kind = "image", Id = "redis" };

    [Fact]
    public void What_is_kept_is_told_from_the_root_on()
    {
        var explanation = new Explanation
        {
            Thing = Layer,
            Kept = true,
            Verdict = "kept by image redis",
            Path = { new GarbageStep { Thing = Redis, Reason = "image" }, new GarbageStep { Thing = Layer, Reason = "label x" } },
        };

        Assert.Equal(
            ["snapshot overlayfs/chain: kept by image redis", "  image redis  (image)", "    └─ snapshot overlayfs/chain  (label x)"],
            WhyCommand.Lines(explanation));
        Assert.Equal(
            """[{"kind":"snapshot","id":"chain","snapshotter":"overlayfs","kept":true,"verdict":"kept by image redis","path":[{"kind":"image","id":"redis","reason":"image"},{"kind":"snapshot","id":"chain","snapshotter":"overlayfs","reason":"label x"}],"inVain":[]}]""",
            JsonSerializer.Serialize([ExplanationDocument.From(explanation)], CliJson.Lines.IReadOnlyListExplanationDocument));
    }

    [Fact]
    public void What_names_a_thing_in_vain_is_told()
    {
        var explanation = new Explanation
        {
            Thing = Layer, Verdict = "only image redis refers to it, which nothing keeps", InVain = { new GarbageStep { Thing = Redis, Reason = "label x" } },
        };

        Assert.Equal(
            ["snapshot overlayfs/chain: only image redis refers to it, which nothing keeps", "  not by image redis  (label x)"], WhyCommand.Lines(explanation));
    }

    [Fact]
    public void A_collection_is_told_in_one_line_and_as_a_document()
    {
        var response = new CollectResponse
        {
            Removed = { new CondemnedThing { Namespace = "default", Thing = Layer, Bytes = 4096, Reason = "nothing refers to it" } },
            Blobs = 2,
            BlobBytes = 2048,
            Directories = 1,
            Mounts = 3,
            Microseconds = 5,
        };

        Assert.Equal("would remove 1 records, 2 blobs and uploads (2.0 KiB), 1 directories of snapshots, 3 mounts", GcCommand.Summary(response, isDry: true));
        Assert.StartsWith("removed 1 records", GcCommand.Summary(response, isDry: false), StringComparison.Ordinal);
        Assert.Equal(
            """{"dryRun":true,"removed":[{"namespace":"default","kind":"snapshot","id":"chain","snapshotter":"overlayfs","bytes":4096,"reason":"nothing refers to it"}],"blobs":2,"blobBytes":2048,"directories":1,"mounts":3,"microseconds":5}""",
            JsonSerializer.Serialize(CollectDocument.From(response, dryRun: true), CliJson.Lines.CollectDocument));
    }
}
