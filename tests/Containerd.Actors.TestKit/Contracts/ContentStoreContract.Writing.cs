// SPDX-License-Identifier: Apache-2.0

using Containerd.Services.Content.V1;
using Grpc.Core;
using WriteCall = Grpc.Core.AsyncDuplexStreamingCall<Containerd.Services.Content.V1.WriteContentRequest, Containerd.Services.Content.V1.WriteContentResponse>;

namespace Containerd.Actors.TestKit.Contracts;

// The stream that a blob is written through.
public abstract partial class ContentStoreContract
{
    [SkippableFact]
    public async Task A_blob_is_written_in_pieces_and_its_offset_told()
    {
        using WriteCall call = Client.Content.Write();
        WriteContentResponse stat = await AskAsync(call, new WriteContentRequest { Action = WriteAction.Stat, Ref = "r", Total = 10 });
        Assert.Equal((WriteAction.Stat, 0, 10), (stat.Action, stat.Offset, stat.Total));
        WriteContentResponse wrote = await AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Offset = 0, Data = Bytes("01234") });
        Assert.Equal((WriteAction.Write, 5, DigestOf("01234"u8.ToArray())), (wrote.Action, wrote.Offset, wrote.Digest));
        wrote = await AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Offset = 5, Data = Bytes("56789") });
        Assert.Equal(10, wrote.Offset);
        string digest = DigestOf("0123456789"u8.ToArray());
        WriteContentRequest commit = new() { Action = WriteAction.Commit, Offset = 10, Total = 10, Expected = digest };
        commit.Labels.Add("made", "here");
        WriteContentResponse committed = await AskAsync(call, commit);
        Assert.Equal((WriteAction.Commit, 10, digest), (committed.Action, committed.Offset, committed.Digest));
        Assert.Equal("here", (await Client.Content.InfoAsync(new InfoRequest { Digest = digest })).Info.Labels["made"]);
        await RefusedAsync(StatusCode.NotFound, null, () => Client.Content.StatusAsync(new StatusRequest { Ref = "r" }).ResponseAsync);
    }

    [SkippableFact]
    public async Task A_write_that_was_left_is_resumed()
    {
        await LeaveAsync("r", "hello, ");
        Services.Content.V1.Status found = (await Client.Content.StatusAsync(new StatusRequest { Ref = "r" })).Status;
        Assert.Equal(("r", 7), (found.Ref, found.Offset));
        Assert.Equal("r", Assert.Single((await Client.Content.ListStatusesAsync(new ListStatusesRequest())).Statuses).Ref);
        using WriteCall call = await OpenAsync("r");
        WriteContentResponse stat = call.ResponseStream.Current;
        Assert.Equal((7, DigestOf("hello, "u8.ToArray())), (stat.Offset, stat.Digest));
        await AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Offset = 7, Data = Bytes("world") });
        WriteContentResponse committed = await AskAsync(call, new WriteContentRequest { Action = WriteAction.Commit, Offset = 12, Total = 12, Expected = DigestOf(Hello) });
        Assert.Equal(DigestOf(Hello), committed.Digest);
    }

    [SkippableFact]
    public async Task A_write_goes_on_where_it_is_or_starts_anew()
    {
        using WriteCall call = await OpenAsync("r");
        await AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Data = Bytes("wrong") });
        WriteContentResponse again = await AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Offset = 0, Data = Bytes("new") });
        Assert.Equal((3, DigestOf("new"u8.ToArray())), (again.Offset, again.Digest));
        await RefusedAsync(
            StatusCode.OutOfRange,
            "write @9 must occur at current offset 3(: out of range)?",
            () => AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Offset = 9, Data = Bytes("x") }));
    }

    [SkippableFact]
    public async Task A_commit_of_another_size_is_refused()
    {
        using WriteCall call = await OpenAsync("r");
        await AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Data = Bytes("12345") });
        await RefusedAsync(
            StatusCode.FailedPrecondition, ".*failed size validation: 5 != 6: failed precondition", () => AskAsync(call, new WriteContentRequest { Action = WriteAction.Commit, Offset = 5, Total = 6 }));
    }

    [SkippableFact]
    public async Task A_commit_of_another_digest_is_refused()
    {
        string other = DigestOf("other"u8.ToArray());
        using WriteCall call = await OpenAsync("r");
        await AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Data = Bytes("12345") });
        await RefusedAsync(
            StatusCode.FailedPrecondition,
            $".*unexpected commit digest {DigestOf("12345"u8.ToArray())}, expected {other}: failed precondition",
            () => AskAsync(call, new WriteContentRequest { Action = WriteAction.Commit, Offset = 5, Expected = other }));
        await RefusedAsync(StatusCode.NotFound, null, () => Client.Content.InfoAsync(new InfoRequest { Digest = other }).ResponseAsync);
    }

    [SkippableFact]
    public async Task A_blob_that_is_there_is_not_written_again()
    {
        string digest = await StoreAsync(Hello);
        await RefusedAsync(StatusCode.AlreadyExists, $"content {digest}: already exists", () => OpenAsync("r", 12, digest));
        using WriteCall call = await OpenAsync("r2");
        await AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Data = Bytes("hello, world") });
        await RefusedAsync(
            StatusCode.AlreadyExists, $"(.*: )?(content|blob with expected digest) {digest}.*", () => AskAsync(call, new WriteContentRequest { Action = WriteAction.Commit, Offset = 12, Total = 12, Expected = digest }));
    }

    [SkippableFact]
    public async Task One_stream_at_a_time_writes_a_reference()
    {
        using WriteCall call = await OpenAsync("r");
        await RefusedAsync(StatusCode.Unavailable, "ref .*r locked.*: unavailable", () => OpenAsync("r"));
        using WriteCall other = await OpenAsync("another");
        Assert.Equal(0, other.ResponseStream.Current.Offset);
    }

    [SkippableFact]
    public async Task The_first_message_names_a_reference() => await RefusedAsync(
        StatusCode.InvalidArgument, "first message must have a reference(: invalid argument)?", () => OpenAsync(""));

    [SkippableFact]
    public async Task Statuses_are_filtered_by_reference()
    {
        await LeaveAsync("one", "1");
        await LeaveAsync("two", "2");
        Assert.Equal("two", Assert.Single((await Client.Content.ListStatusesAsync(new ListStatusesRequest { Filters = { "ref==two" } })).Statuses).Ref);
        Assert.Equal(2, (await Client.Content.ListStatusesAsync(new ListStatusesRequest())).Statuses.Count);
    }

    [SkippableFact]
    public async Task An_aborted_write_is_forgotten()
    {
        await LeaveAsync("r", "some");
        await Client.Content.AbortAsync(new AbortRequest { Ref = "r" });
        await RefusedAsync(StatusCode.NotFound, null, () => Client.Content.StatusAsync(new StatusRequest { Ref = "r" }).ResponseAsync);
        await RefusedAsync(StatusCode.NotFound, "reference r: not found", () => Client.Content.AbortAsync(new AbortRequest { Ref = "r" }).ResponseAsync);
        using WriteCall call = await OpenAsync("r");
        Assert.Equal(0, call.ResponseStream.Current.Offset);
    }

    private async Task<WriteCall> OpenAsync(string reference, long total = 0, string expected = "")
    {
        WriteCall call = Client.Content.Write();
        await AskAsync(call, new WriteContentRequest { Action = WriteAction.Stat, Ref = reference, Total = total, Expected = expected });
        return call;
    }

    // The stream ends without a commit, as when a client is interrupted.
    private async Task LeaveAsync(string reference, string text)
    {
        using WriteCall call = await OpenAsync(reference);
        await AskAsync(call, new WriteContentRequest { Action = WriteAction.Write, Data = Bytes(text) });
        await call.RequestStream.CompleteAsync();
        await DrainAsync(call);
    }

    // containerd 1.6 tells the state once more when the stream ends.
    private static async Task DrainAsync(WriteCall call)
    {
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            Assert.NotEqual(WriteAction.Commit, call.ResponseStream.Current.Action);
        }
    }
}
