// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Content;
using CsCheck;

namespace Containerd.Actors.Storage.Tests.Content;

public sealed class ArrivingStreamSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7))];

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Bytes_are_read_as_they_come_and_end_when_they_are_committed()
    {
        ContentStore store = Store();
        using Ingest ingest = store.OpenIngest("ns", "blob", Bytes.Length);
        using ArrivingStream arriving = store.OpenArriving("ns", "blob");
        Task<int> read = ReadAsync(arriving, new byte[10_000]);
        ingest.Write(Bytes.AsSpan(0, 1000));
        Assert.Equal(1000, await read.WaitAsync(Patience));
        ingest.Write(Bytes.AsSpan(1000));
        Assert.Equal(4000, await ReadAsync(arriving, new byte[10_000]).WaitAsync(Patience));

        bool isCommitting = false;
        Task<(int Count, bool IsCommitting)> end = Task.Run(() => (arriving.Read(new byte[10]), Volatile.Read(ref isCommitting)));
        Volatile.Write(ref isCommitting, true);
        ingest.Commit(Bytes.Length, Digest.Of(Bytes));
        Assert.Equal((0, true), await end.WaitAsync(Patience));
    }

    [Fact]
    public async Task Bytes_of_an_earlier_attempt_are_read_first()
    {
        using (Ingest earlier = Store().OpenIngest("ns", "blob", Bytes.Length))
        {
            earlier.Write(Bytes.AsSpan(0, 3000));
        }

        ContentStore store = Store();
        using Ingest ingest = store.OpenIngest("ns", "blob", Bytes.Length);
        using ArrivingStream arriving = store.OpenArriving("ns", "blob");
        Assert.Equal(3000, await ReadAsync(arriving, new byte[10_000]).WaitAsync(Patience));
    }

    [Theory]
    [InlineData("closed")]
    [InlineData("aborted")]
    [InlineData("begun anew")]
    [InlineData("wrong and aborted")]
    public async Task An_upload_that_ends_otherwise_has_no_end_to_be_read(string how)
    {
        ContentStore store = Store();
        using Ingest ingest = store.OpenIngest("ns", "blob", Bytes.Length);
        using ArrivingStream arriving = store.OpenArriving("ns", "blob");
        ingest.Write(Bytes);
        Assert.Equal(Bytes.Length, await ReadAsync(arriving, new byte[10_000]).WaitAsync(Patience));
        Task<int> end = ReadAsync(arriving, new byte[10]);
        switch (how)
        {
            case "closed": ingest.Dispose(); break;
            case "aborted": ingest.Abort(); break;
            case "begun anew":
                ingest.Truncate(0);
                ingest.Write(Bytes);
                ingest.Commit(Bytes.Length, Digest.Of(Bytes));
                break;
            default:
                Assert.Throws<RefusedException>(() => ingest.Commit(Bytes.Length, Digest.Of("other"u8)));
                Assert.Throws<RefusedException>(() => ingest.Commit(1, Digest.Of(Bytes)));
                Assert.False(end.IsCompleted);
                ingest.Abort();
                break;
        }

        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => end.WaitAsync(Patience));
        Assert.Equal(ErrorKind.Unavailable, refused.Error.Kind);
    }

    [Fact]
    public async Task A_read_that_is_given_up_ends_though_nothing_comes()
    {
        ContentStore store = Store();
        using Ingest ingest = store.OpenIngest("ns", "blob");
        using ArrivingStream arriving = store.OpenArriving("ns", "blob");
        Task<int> read = ReadAsync(arriving, new byte[10]);
        arriving.GiveUp();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Patience));
    }

    [Fact]
    public void An_upload_that_nobody_has_open_is_not_found()
    {
        ContentStore store = Store();
        store.OpenIngest("ns", "blob").Dispose();
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<RefusedException>(() => store.OpenArriving("ns", "blob")).Error.Kind);
    }

    [Fact]
    public void Whatever_the_sizes_of_writes_and_reads_the_reader_sees_the_blob() =>
        Gen.Select(Gen.Int[1, 900].Array[1, 20], Gen.Int[1, 900], Gen.Int[0, int.MaxValue]).Sample(
            (writes, readSize, number) =>
            {
                ContentStore store = Store();
                byte[] blob = new byte[writes.Sum()];
                new Random(number).NextBytes(blob);
                using Ingest ingest = store.OpenIngest("ns", $"blob-{Guid.NewGuid():N}", blob.Length);
                using ArrivingStream arriving = store.OpenArriving("ns", ingest.Reference);
                Task<byte[]> read = Task.Run(() =>
                {
                    using var all = new MemoryStream();
                    byte[] buffer = new byte[readSize];
                    for (int count; (count = arriving.Read(buffer)) > 0;)
                    {
                        all.Write(buffer, 0, count);
                    }

                    return all.ToArray();
                });
                int offset = 0;
                foreach (int write in writes)
                {
                    ingest.Write(blob.AsSpan(offset, write));
                    offset += write;
                }

                ingest.Commit(blob.Length, Digest.Of(blob));
                return read.Wait(Patience) && read.Result.AsSpan().SequenceEqual(blob);
            },
            iter: 50,
            threads: 1);

    private ContentStore Store() => ContentStore.Open(_directory["content"]);

    private static Task<int> ReadAsync(ArrivingStream arriving, byte[] buffer) => Task.Run(() => arriving.Read(buffer));
}
