// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Tests.Diff;

/// <summary>Layers that are extracted while their uploads come.</summary>
public sealed class ArrivingLayerSpecs : IDisposable
{
    private const string Plain = "application/vnd.oci.image.layer.v1.tar";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryDirectory _directory = new();
    private readonly ContentStore _store;
    private readonly Ingest _ingest;
    private readonly string _target;

    public ArrivingLayerSpecs()
    {
        _store = ContentStore.Open(_directory["content"]);
        _ingest = _store.OpenIngest("ns", "layer");
        _target = _directory.Make("target");
    }

    public void Dispose()
    {
        _ingest.Dispose();
        _directory.Dispose();
    }

    [SkippableFact]
    public async Task Files_are_there_before_the_layer_is_whole_and_its_end_waits_for_the_commit()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        byte[] layer = new TarBytes().File("first", "1").File("filler", new string('x', 1 << 20)).File("last", "2").Finish();
        Task<AppliedLayer> applied = Apply();
        _ingest.Write(layer.AsSpan(0, layer.Length - 2048));
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Path.Combine(_target, "filler")), Patience));
        Assert.False(File.Exists(Path.Combine(_target, "last")));

        bool isCommitting = false;
        Task<bool> endedLater = applied.ContinueWith(_ => Volatile.Read(ref isCommitting), TaskScheduler.Default);
        _ingest.Write(layer.AsSpan(layer.Length - 2048));
        Volatile.Write(ref isCommitting, true);
        _ingest.Commit(layer.Length, Digest.Of(layer));
        Assert.True(await endedLater.WaitAsync(Patience));
        Assert.Equal(Digest.Of(layer), (await applied).DiffId);
        Assert.Equal("2", await File.ReadAllTextAsync(Path.Combine(_target, "last")));
    }

    [Fact]
    public async Task A_whole_layer_whose_upload_is_refused_is_not_extracted()
    {
        byte[] layer = new TarBytes().File("first", "1").Finish();
        Task<AppliedLayer> applied = Apply();
        _ingest.Write(layer);
        Assert.Throws<RefusedException>(() => _ingest.Commit(0, Digest.Of("something else"u8)));
        _ingest.Abort();
        Assert.Equal(ErrorKind.Unavailable, (await Assert.ThrowsAsync<RefusedException>(() => applied.WaitAsync(Patience))).Error.Kind);
    }

    [Fact]
    public async Task A_layer_that_is_none_is_refused_though_more_of_it_may_come()
    {
        Task<AppliedLayer> applied = Apply();
        _ingest.Write([.. Enumerable.Repeat((byte)1, 1 << 20)]);
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => applied.WaitAsync(Patience));
        Assert.StartsWith("invalid tar archive", refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_extraction_that_is_given_up_ends_though_nothing_comes()
    {
        using var cancellation = new CancellationTokenSource();
        Task<AppliedLayer> applied = Apply(cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => applied.WaitAsync(Patience));
    }

    private Task<AppliedLayer> Apply(CancellationToken cancellation = default)
    {
        ArrivingStream arriving = _store.OpenArriving("ns", "layer");
        return Task.Run(
            () =>
            {
                using (arriving)
                {
                    return LayerApplier.Apply(arriving, Plain, ApplyTarget.Plain(_target), LayerLimits.Default, cancellation);
                }
            },
            CancellationToken.None);
    }
}
