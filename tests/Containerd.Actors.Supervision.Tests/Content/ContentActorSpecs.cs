// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;
using Akka.Actor;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Supervision.Content;

namespace Containerd.Actors.Supervision.Tests.Content;

/// <summary>Uploads, adoption and sweeps on a real disk.</summary>
public sealed class ContentActorSpecs : StorageFixture
{
    private static readonly byte[] Bytes = Encoding.UTF8.GetBytes("hello world\n");
    private static readonly Digest Name = Digest.Of(Bytes);

    [Fact]
    public async Task A_lease_that_does_not_exist_is_refused_before_anything_is_opened()
    {
        Start();
        Assert.Equal("lease does not exist: not found", await Refusal(Open("r", by: By with { Lease = "none" })));
        Assert.Empty(await Do(new IngestCommands.List(Ns)));
        await Do(Open("r"));
    }

    [Fact]
    public async Task Giving_an_upload_back_is_answered_when_it_can_be_opened_again()
    {
        Start();
        await Do(Open("r"));
        Assert.Matches(@"^ref default/1/r locked for [0-9.]+s \(since .+\): unavailable$", await Refusal(Open("r")));
        await Do(Write("r", 0));
        for (int again = 0; again < 20; again++)
        {
            await Do(new IngestCommands.Close(Ns, "r", Abort: false));
            Assert.Equal(Bytes.Length, (await Do(Open("r"))).Offset);
        }
    }

    [Fact]
    public async Task Giving_back_what_nobody_has_open_is_done()
    {
        Start();
        Assert.Equal(Nothing.Value, await Do(new IngestCommands.Close(Ns, "r", Abort: true)));
    }

    [Fact]
    public async Task An_upload_that_is_open_is_forgotten_under_its_writer()
    {
        Start();
        await Do(Open("r"));
        await Do(Write("r", 0));
        await Do(new IngestCommands.Abort(Ns, "r", By));
        Assert.Empty(await Do(new IngestCommands.List(Ns)));
        Assert.Equal("reference r: not found", await Refusal(Write("r", 0)));
        Assert.Equal("reference r: not found", await Refusal(new IngestCommands.Abort(Ns, "r", By)));
    }

    [Fact]
    public async Task Shared_content_is_adopted_by_its_digest_without_sending_it()
    {
        Start();
        await StoreAsync("other");
        Assert.Equal(Bytes.Length, (await Do(Open("r", Name))).Offset);
        Assert.Equal(Name, (await Do(Commit("r"))).Digest);
        Assert.True((await State()).Content.ContainsKey(Name));
        Assert.Empty(await Do(new IngestCommands.List(Ns)));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("false", 0)]
    [InlineData("true", 12)]
    public async Task Isolated_content_is_adopted_from_namespaces_that_offer_it(string? shareable, long offset)
    {
        Start(isShared: false);
        await StoreAsync("other");
        if (shareable is not null)
        {
            await Do(new NamespaceCommands.Update("other", Labels.None.Add(ContentSettings.ShareableLabel, shareable), [], By));
        }

        Assert.Equal(offset, (await Do(Open("r", Name))).Offset);
    }

    [Fact]
    public async Task Isolated_content_that_is_sent_lies_on_disk_once()
    {
        Start(isShared: false);
        await StoreAsync("other");
        await StoreAsync(Ns);
        Assert.Single(Store.List());
    }

    [Fact]
    public async Task Bytes_written_after_adoption_are_a_private_copy()
    {
        Start();
        await StoreAsync("other");
        Assert.Equal(Bytes.Length, (await Do(Open("r", Name))).Offset);
        Assert.Equal("write @5 must occur at current offset 12: out of range", await Refusal(Write("r", 5)));
        Assert.Equal(2 * Bytes.Length, (await Do(Write("r", Bytes.Length))).Offset);
        Assert.Contains("unexpected commit digest", await Refusal(Commit("r")), StringComparison.Ordinal);
        Assert.Equal(Bytes.Length, (await Do(Write("r", 0))).Offset);
        Assert.Equal(Name, (await Do(Commit("r"))).Digest);
    }

    [Fact]
    public async Task What_an_upload_expects_is_not_swept_although_nobody_sees_it()
    {
        Start();
        await StoreAsync("other");
        await Do(Open("r", Name));
        await Do(new IngestCommands.Close(Ns, "r", Abort: false));
        await Do(new ContentCommands.Remove("other", Name, By));
        await Do(new GarbageCommands.Run(By));
        Assert.Equal(Bytes.Length, (await Do(Open("r", Name))).Offset);
        await Do(new IngestCommands.Abort(Ns, "r", By));
        await Do(new GarbageCommands.Run(By));
        Assert.Empty(Store.List());
    }

    [Fact]
    public async Task An_upload_opened_under_a_lease_goes_with_it_and_one_without_stays_a_day()
    {
        Start();
        await Do(new LeaseCommands.Create(Ns, "l", Labels.None, By));
        await Do(Open("leased", by: By with { Lease = "l" }));
        await Do(Open("free"));
        await Do(new IngestCommands.Close(Ns, "leased", Abort: false));
        await Do(new IngestCommands.Close(Ns, "free", Abort: false));
        await Do(new GarbageCommands.Run(By));
        Assert.Equal(["free", "leased"], (await Do(new IngestCommands.List(Ns))).Select(ingest => ingest.Reference));
        await Do(new LeaseCommands.Delete(Ns, "l", By));
        await Do(new GarbageCommands.Run(By));
        Assert.Equal(["free"], (await Do(new IngestCommands.List(Ns))).Select(ingest => ingest.Reference));
    }

    [Fact]
    public async Task Labels_that_are_too_long_are_refused_before_the_blob_is_there()
    {
        Start();
        await Do(Open("r"));
        await Do(Write("r", 0));
        var commit = Commit("r") with { Labels = Labels.None.Add("k", new string('v', 4096)) };
        Assert.Contains("label key and value length", await Refusal(commit), StringComparison.Ordinal);
        Assert.Empty(Store.List());
        Assert.Equal(Name, (await Do(Commit("r"))).Digest);
    }

    [Fact]
    public async Task A_blob_of_another_algorithm_is_safe_from_a_sweep_while_it_is_shown_to_its_namespace()
    {
        using var published = new ManualResetEventSlim();
        Digest name = Digest.FromHash("sha512", SHA512.HashData(Bytes));
        Start(wrap: inner => new Interlude(inner, () => published.Set()));
        await Do(Open("r"));
        await Do(Write("r", 0));

        // Once it is recorded its label keeps it, at whatever moment of that the collection looks.
        Task<CommittedContent> committing = Do(Commit("r") with { Expected = name, Labels = Labels.From([new("containerd.io/gc.root", "1")]) });
        published.Wait();
        Swept swept = (await Do(new GarbageCommands.Run(By))).Content;
        Assert.Equal(name, (await committing).Digest);
        Assert.Equal(0, swept.Count);
        Assert.NotNull(Store.TrySize(name));
    }

    [Fact]
    public async Task A_dry_run_counts_and_leaves_everything()
    {
        Start();
        await StoreAsync(Ns);
        GarbageRun dry = await Do(new GarbageCommands.Run(By, IsDry: true));
        Assert.Equal((1, new Swept(1, Bytes.Length)), (dry.Removed, dry.Content));
        Assert.Equal("nothing refers to it", Assert.Single(dry.Things).Thing.Reason);
        Assert.True((await State()).Content.ContainsKey(Name));
        GarbageRun run = await Do(new GarbageCommands.Run(By));
        Assert.Equal((dry.Removed, dry.Content), (run.Removed, run.Content));
        Assert.Empty(Store.List());
    }

    private async Task StoreAsync(string ns)
    {
        await Do(new IngestCommands.Open(ns, "r", 0, default, By));
        await Do(new IngestCommands.Write(ns, "r", 0, Bytes));
        await Do(new IngestCommands.Commit(ns, "r", 0, default, Labels.None, By));
    }

    private static IngestCommands.Open Open(string reference, Digest expected = default, Caller? by = null) =>
        new(Ns, reference, 0, expected, by ?? By);

    private static IngestCommands.Write Write(string reference, long offset) => new(Ns, reference, offset, Bytes);

    private static IngestCommands.Commit Commit(string reference) => new(Ns, reference, 0, default, Labels.None, By);

    /// <summary>Tells when a blob was made, before its lane says so.</summary>
    private sealed class Interlude(IEffectRunner inner, Action published) : IEffectRunner
    {
        public bool Runs(Effect effect) => inner.Runs(effect);

        public object? Run(Effect effect, CancellationToken cancellationToken)
        {
            object? value = inner.Run(effect, cancellationToken);
            if (effect is ContentEffects.Commit)
            {
                published();
            }

            return value;
        }
    }
}
