// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Transfers;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Transfers;

public sealed class PushSpecs : TransfersFixture
{
    private Descriptor _amd = null!;
    private Descriptor _arm = null!;
    private Descriptor _index = null!;

    [Fact]
    public async Task Blobs_go_before_documents_and_the_tag_last()
    {
        IActorRef transfers = await WithIndexAsync();
        (Reply<Nothing> reply, List<TransferStep> steps) = await RunAsync(transfers, Push());
        Assert.IsType<Done<Nothing>>(reply);

        string[] pushed = [.. Sink.Pushed];
        Assert.All(pushed[..4], blob => Assert.StartsWith("blob ", blob, StringComparison.Ordinal));
        Assert.Equal([$"document {_amd.Digest}", $"document {_arm.Digest}", $"tag {_index.Digest}", "closed"], pushed[4..]);
        Assert.Equal("Pushing to OCI Registry (r.test/team/app:1)", steps[0].Event);
        Assert.Equal(["pushed content", "Completed push to OCI Registry (r.test/team/app:1)"], steps[^2..].Select(step => step.Event));
        string key = ContentLabels.IngestKey(_amd);
        Assert.Equal(["waiting", "uploading", "complete"], steps.Where(step => step.Name == key).Select(step => step.Event));
        Assert.Equal(ContentLabels.IngestKey(_index), steps.First(step => step.Name == key).Parents.Single());
    }

    [Fact]
    public async Task What_was_pushed_is_known_to_be_there_and_can_be_mounted_from_there()
    {
        IActorRef transfers = await WithIndexAsync();
        await RunAsync(transfers, Push());
        NamespaceState state = await StateAsync();
        Digest layer = Digest.Of("for amd"u8);
        Assert.Equal("team/app", state.Content[layer].Labels[ContentLabels.DistributionSource + "r.test"]);
        Assert.Equal("team/app", state.Content[_index.Digest].Labels[ContentLabels.DistributionSource + "r.test"]);

        await RunAsync(transfers, Push("r.test/team/other:1"));
        Assert.Equal("team/app", Sink.MountedFrom[layer]);
    }

    [Fact]
    public async Task One_platform_is_pushed_as_the_image_that_it_is()
    {
        IActorRef transfers = await WithIndexAsync();
        await RunAsync(transfers, Push(platforms: [Arm]));
        Assert.Equal(["blob", "blob", "tag", "closed"], Sink.Pushed.Select(what => what.Split(' ')[0]));
        Assert.Contains($"tag {_arm.Digest}", Sink.Pushed);
    }

    [Fact]
    public async Task What_exists_there_is_told_so()
    {
        IActorRef transfers = await WithIndexAsync();
        Sink.Present.Add(Digest.Of("for arm"u8));
        (_, List<TransferStep> steps) = await RunAsync(transfers, Push(platforms: [Arm]));
        Assert.Equal("already exists", steps.Last(step => step.Content?.Digest == Digest.Of("for arm"u8)).Event);
    }

    [Fact]
    public async Task Whoever_asked_is_asked_for_credentials_when_the_registry_wants_them()
    {
        IActorRef transfers = await WithIndexAsync();
        Akka.TestKit.TestProbe asker = CreateTestProbe();
        transfers.Tell(Push(platforms: [Arm]) with { Source = PullSource.Default with { AsksForCredentials = true } }, asker);
        await asker.FishForMessageAsync(message => message is PullQueries.FindCredentials { Host: "r.test" }, Patience);
        asker.Reply(Reply.Done(new PullCredentials("me", "secret", "", "")));
        await asker.FishForMessageAsync(message => message is Done<Nothing>, Patience);
        Assert.Equal(("me", "secret"), (Sink.Pusher!.Username, Sink.Pusher.Secret));
    }

    [Fact]
    public async Task What_cannot_be_pushed_is_refused()
    {
        IActorRef transfers = await WithIndexAsync();
        Assert.Equal("image \"none\": not found", await RefusalAsync(transfers, Push() with { Image = "none" }));
        Assert.Equal("hostname required: invalid argument", await RefusalAsync(transfers, Push() with { Reference = "" }));
        Assert.StartsWith(
            "r.test/app:1: no match for platform in manifest", await RefusalAsync(transfers, Push(platforms: [new Platform("linux", "s390x")])), StringComparison.Ordinal);

        Sink.Refusal = Error.Unknown("unexpected status from PUT request to http://r.test/v2/: 403 Forbidden");
        Assert.Equal(Sink.Refusal.Text, await RefusalAsync(transfers, Push()));
        Assert.DoesNotContain(Sink.Pushed, what => what.StartsWith("tag", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_index_whose_images_are_not_all_here_is_refused_before_anything_is_sent()
    {
        IActorRef transfers = await WithIndexAsync();
        await Do(Records, new ContentCommands.Remove(Ns, _arm.Digest, By));
        Assert.Equal($"content digest {_arm.Digest}: not found", await RefusalAsync(transfers, Push()));
        Assert.Empty(Sink.Pushed);
    }

    private async Task<IActorRef> WithIndexAsync()
    {
        var archive = new ArchiveBytes();
        (_amd, _arm) = (archive.Image("for amd", Amd), archive.Image("for arm", Arm));
        _index = archive.Blob(MediaTypes.OciIndex, ImageDocuments.Write(new Oci.Images.Index { MediaType = MediaTypes.OciIndex, Manifests = [_amd, _arm] }));
        archive.Layout(ArchiveNames.Named(_index, "r.test/app:1"));
        IActorRef transfers = Transfers();
        await ImportAsync(transfers, archive.Write());
        return transfers;
    }

    private static TransferCommands.Push Push(string reference = "r.test/team/app:1", ImmutableArray<Platform>? platforms = null) =>
        new(Ns, "r.test/app:1", reference, platforms ?? [], new PullSource(false, "", "", ""), By);
}
