// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Content.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.TestKit.Contracts;

/// <summary>What every content store does that is reached through containerd's API.</summary>
public abstract partial class ContentStoreContract(ServedDaemon daemon) : Contract(daemon)
{
    private static readonly byte[] Hello = Encoding.UTF8.GetBytes("hello, world");

    [SkippableFact]
    public async Task What_was_committed_is_read_again()
    {
        byte[] bytes = new byte[3 << 20];
        new Random(1).NextBytes(bytes);
        string digest = await StoreAsync(bytes);
        Assert.Equal(bytes, await FetchAsync(digest));
        Info info = (await Client.Content.InfoAsync(new InfoRequest { Digest = digest })).Info;
        Assert.Equal((digest, bytes.Length), (info.Digest, info.Size));
        Assert.Equal(info.CreatedAt, info.UpdatedAt);
    }

    [SkippableFact]
    public async Task A_part_is_read_by_offset_and_size()
    {
        string digest = await StoreAsync(Hello);
        Assert.Equal("world", Encoding.UTF8.GetString(await FetchAsync(digest, 7)));
        Assert.Equal("lo", Encoding.UTF8.GetString(await FetchAsync(digest, 3, 2)));
        Assert.Equal("hello", Encoding.UTF8.GetString(await FetchAsync(digest, -1, 5)));
        Assert.Equal("world", Encoding.UTF8.GetString(await FetchAsync(digest, 7, 1000)));
        Assert.Empty(await FetchAsync(digest, Hello.Length));
        await RefusedAsync(StatusCode.OutOfRange, "read past object length 12 bytes(: out of range)?", () => FetchAsync(digest, 13));
    }

    [SkippableFact]
    public async Task The_empty_blob_is_a_blob()
    {
        string digest = await StoreAsync([]);
        Assert.Empty(await FetchAsync(digest));
        Assert.Equal(0, (await Client.Content.InfoAsync(new InfoRequest { Digest = digest })).Info.Size);
    }

    [SkippableFact]
    public async Task A_digest_must_be_one_and_be_there()
    {
        string missing = DigestOf(Guid.NewGuid().ToByteArray());
        await RefusedAsync(StatusCode.NotFound, $"content digest {missing}: not found", () => Client.Content.InfoAsync(new InfoRequest { Digest = missing }).ResponseAsync);
        await RefusedAsync(StatusCode.NotFound, $"content digest {missing}: not found", () => FetchAsync(missing));
        await RefusedAsync(StatusCode.NotFound, $"content digest {missing}: not found", () => Client.Content.DeleteAsync(new DeleteContentRequest { Digest = missing }).ResponseAsync);
        await RefusedAsync(StatusCode.InvalidArgument, "\"nonsense\" failed validation.*", () => Client.Content.InfoAsync(new InfoRequest { Digest = "nonsense" }).ResponseAsync);
        await RefusedAsync(StatusCode.InvalidArgument, null, () => FetchAsync("sha256:12"));
    }

    [SkippableFact]
    public async Task Blobs_are_listed_by_digest_and_filtered()
    {
        List<string> stored = [];
        for (int i = 0; i < 5; i++)
        {
            stored.Add(await StoreAsync([(byte)i]));
        }

        Assert.Equal(stored.Order(StringComparer.Ordinal), await ListAsync());
        Assert.Equal([stored[2]], await ListAsync($"digest=={stored[2]}"));
        await LabelAsync(stored[3], ["labels.colour"], ("colour", "red"));
        Assert.Equal([stored[3]], await ListAsync("labels.colour==red"));
        await RefusedAsync(StatusCode.InvalidArgument, null, () => ListAsync("digest=="));
    }

    [SkippableFact]
    public async Task Labels_are_changed_one_by_one_or_all_at_once()
    {
        string digest = await StoreAsync(Hello);
        Info info = await LabelAsync(digest, ["labels.a", "labels.b"], ("a", "1"), ("b", "2"));
        Assert.Equal(("1", "2"), (info.Labels["a"], info.Labels["b"]));
        info = await LabelAsync(digest, ["labels.a"]);
        Assert.Equal("b", Assert.Single(info.Labels).Key);
        info = await LabelAsync(digest, [], ("c", "3"));
        Assert.Equal("c", Assert.Single(info.Labels).Key);
        Assert.True(info.UpdatedAt.ToDateTime() > info.CreatedAt.ToDateTime());
        await RefusedAsync(StatusCode.InvalidArgument, $"cannot update \"size\" field on content info \"{digest}\": invalid argument", () => LabelAsync(digest, ["size"]));
        await RefusedAsync(StatusCode.InvalidArgument, "(info.Labels: )?label key and value .*: invalid argument", () => LabelAsync(digest, [], ("long", new string('v', 4096))));
    }

    [SkippableFact]
    public async Task A_deleted_blob_is_gone_and_may_come_back()
    {
        string digest = await StoreAsync(Hello);
        await Client.Content.DeleteAsync(new DeleteContentRequest { Digest = digest });
        await RefusedAsync(StatusCode.NotFound, null, () => FetchAsync(digest));
        Assert.Equal(digest, await StoreAsync(Hello));
    }

    [SkippableFact]
    public async Task A_namespace_sees_its_own_blobs_only()
    {
        byte[] bytes = Guid.NewGuid().ToByteArray();
        string digest = await StoreAsync(bytes);
        ContainerdConnection other = Leased(Daemon.Fresh());
        await RefusedAsync(StatusCode.NotFound, null, () => other.Content.InfoAsync(new InfoRequest { Digest = digest }).ResponseAsync);

        // What another namespace has is taken over without its bytes being sent.
        using AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call = other.Content.Write();
        WriteContentResponse opened = await AskAsync(call, new WriteContentRequest { Action = WriteAction.Stat, Ref = "r", Total = bytes.Length, Expected = digest });
        Assert.Equal(bytes.Length, opened.Offset);
        WriteContentResponse committed = await AskAsync(call, new WriteContentRequest { Action = WriteAction.Commit, Offset = bytes.Length, Total = bytes.Length, Expected = digest });
        Assert.Equal(digest, committed.Digest);
        await call.RequestStream.CompleteAsync();
        Assert.Equal(bytes.Length, (await other.Content.InfoAsync(new InfoRequest { Digest = digest })).Info.Size);
    }

    [SkippableFact]
    public async Task Blobs_that_nothing_keeps_go_when_garbage_is_collected()
    {
        ContainerdConnection unleased = Daemon.Missing.Length == 0 ? Daemon.Connect(Client.Namespace) : Client;
        byte[] kept = Guid.NewGuid().ToByteArray();
        string digest = await StoreAsync(kept);
        string lost = await StoreAsync(Guid.NewGuid().ToByteArray(), unleased);
        await CollectAsync();
        Assert.Equal(kept, await FetchAsync(digest));
        await RefusedAsync(StatusCode.NotFound, null, () => FetchAsync(lost));
    }

    /// <summary>One message and its answer.</summary>
    private static async Task<WriteContentResponse> AskAsync(AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call, WriteContentRequest request)
    {
        await call.RequestStream.WriteAsync(request);
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        return call.ResponseStream.Current;
    }

    private async Task<Info> LabelAsync(string digest, string[] paths, params (string Key, string Value)[] labels)
    {
        UpdateRequest request = new() { Info = new Info { Digest = digest } };
        request.Info.Labels.Add(labels.ToDictionary(label => label.Key, label => label.Value));
        if (paths.Length > 0)
        {
            request.UpdateMask = new FieldMask();
            request.UpdateMask.Paths.Add(paths);
        }

        return (await Client.Content.UpdateAsync(request)).Info;
    }

    private async Task<List<string>> ListAsync(params string[] filters)
    {
        ListContentRequest request = new();
        request.Filters.Add(filters);
        List<string> found = [];
        using AsyncServerStreamingCall<ListContentResponse> call = Client.Content.List(request);
        await foreach (ListContentResponse message in call.ResponseStream.ReadAllAsync())
        {
            found.AddRange(message.Info.Select(info => info.Digest));
        }

        return found;
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);
}
