// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;
using Containerd.Actors.Client.Connections;
using Containerd.Services.Content.V1;
using Containerd.Services.Leases.V1;
using Google.Protobuf;
using Grpc.Core;
using Info = Containerd.Services.Content.V1.Info;

namespace Containerd.Actors.Integration.Tests;

/// <summary>The content service over its socket: every answer and every refusal of uploads and blobs.</summary>
public sealed class ContentSpecs(Machine machine) : IClassFixture<Machine>, IDisposable
{
    private static readonly byte[] Hello = Encoding.UTF8.GetBytes("hello world\n");

    // Content that carries it is kept without an image.
    private static readonly (string, string) Kept = ("containerd.io/gc.root", "test");

    private readonly ContainerdConnection? _connection =
        Repository.Missing.Length == 0 ? ContainerdConnection.Open(machine.Socket, $"content-{Guid.NewGuid():N}"[..20]) : null;

    private ContainerdConnection Connection => _connection!;

    public void Dispose() => _connection?.Dispose();

    [SkippableFact]
    public async Task Blobs_are_described_read_in_part_labelled_listed_and_deleted()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string digest = await Upload.StoreAsync(Connection, Hello, Kept, ("k", "v"));
        Info info = (await Connection.Content.InfoAsync(new InfoRequest { Digest = digest })).Info;
        Assert.Equal((digest, 12L, "v"), (info.Digest, info.Size, info.Labels["k"]));
        Assert.Equal("hello world\n", await ReadAsync(digest, 0, 0));
        Assert.Equal("world", await ReadAsync(digest, 6, 5));
        Assert.Equal("hello", await ReadAsync(digest, -3, 5));
        Assert.Equal("\n", await ReadAsync(digest, 11, 500));
        Assert.Equal("", await ReadAsync(digest, 12, 1));
        await Refused(StatusCode.OutOfRange, "read past object length 12 bytes: out of range", () => ReadAsync(digest, 13, 1));

        UpdateRequest update = new() { Info = new Info { Digest = digest, Labels = { ["k"] = "w" } }, UpdateMask = new() { Paths = { "labels.k" } } };
        Assert.Equal(["containerd.io/gc.root", "k"], (await Connection.Content.UpdateAsync(update)).Info.Labels.Keys.Order());
        Assert.Equal([digest], await ListAsync("labels.k==w"));
        Assert.Empty(await ListAsync("labels.k==v"));
        Assert.Equal([digest], await ListAsync($"digest==\"{digest}\""));

        await Connection.Content.DeleteAsync(new DeleteContentRequest { Digest = digest });
        await Refused(StatusCode.NotFound, $"content digest {digest}: not found", () => ReadAsync(digest, 0, 0));
        await Refused(StatusCode.NotFound, $"content digest {digest}: not found", Call(Connection.Content.InfoAsync(new InfoRequest { Digest = digest })));
        await Refused(StatusCode.NotFound, $"content digest {digest}: not found", Call(Connection.Content.DeleteAsync(new DeleteContentRequest { Digest = digest })));
        await Refused(StatusCode.NotFound, $"content digest {digest}: not found", Call(Connection.Content.UpdateAsync(update)));
    }

    [SkippableFact]
    public async Task What_is_no_digest_mask_or_filter_is_refused()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        const string Text = "\"sha256:x\" failed validation: invalid argument";
        await Refused(StatusCode.InvalidArgument, Text, Call(Connection.Content.InfoAsync(new InfoRequest { Digest = "sha256:x" })));
        await Refused(StatusCode.InvalidArgument, Text, Call(Connection.Content.DeleteAsync(new DeleteContentRequest { Digest = "sha256:x" })));
        await Refused(StatusCode.InvalidArgument, Text, () => ReadAsync("sha256:x", 0, 0));
        await Refused(StatusCode.InvalidArgument, Text, Call(Connection.Content.UpdateAsync(new UpdateRequest { Info = new Info { Digest = "sha256:x" } })));
        await Refused(StatusCode.InvalidArgument, Text, () => SendAsync(new WriteContentRequest { Ref = "r", Expected = "sha256:x" }));
        await Refused(StatusCode.InvalidArgument, "filters: parse error", () => ListAsync("labels."));
        await Refused(
            StatusCode.InvalidArgument, "filters: parse error", Call(Connection.Content.ListStatusesAsync(new ListStatusesRequest { Filters = { "=" } })));
        string digest = await Upload.StoreAsync(Connection, new byte[] { 1 }, Kept);
        UpdateRequest update = new() { Info = new Info { Digest = digest }, UpdateMask = new() { Paths = { "size" } } };
        await Refused(StatusCode.InvalidArgument, "cannot update \"size\" field on", Call(Connection.Content.UpdateAsync(update)));
    }

    [SkippableFact]
    public async Task An_upload_is_locked_kept_by_its_end_resumed_and_committed()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using (Upload first = new(Connection))
        {
            WriteContentResponse opened = await first.SendAsync(new WriteContentRequest { Ref = "layer", Total = 12 });
            Assert.Equal((WriteAction.Stat, 0L, 12L), (opened.Action, opened.Offset, opened.Total));
            Assert.NotNull(opened.StartedAt);
            WriteContentResponse written = await first.SendAsync(Write(0, Hello.AsMemory(0, 5)));
            Assert.Equal((WriteAction.Write, 5L, Name(Hello.AsMemory(0, 5))), (written.Action, written.Offset, written.Digest));
            RpcException locked = await Refused(
                StatusCode.Unavailable, "", () => SendAsync(new WriteContentRequest { Ref = "layer" }));
            Assert.Matches(@"^ref .+/1/layer locked for [0-9.]+s \(since .+\): unavailable$", locked.Status.Detail);
            await Refused(StatusCode.OutOfRange, "write @7 must occur at current offset 5: out of range", () => first.SendAsync(Write(7, Hello)));
        }

        using Upload second = new(Connection);
        WriteContentResponse resumed = await second.SendAsync(new WriteContentRequest { Ref = "layer", Total = 12 });
        Assert.Equal((5L, Name(Hello.AsMemory(0, 5))), (resumed.Offset, resumed.Digest));
        Assert.Equal(12, (await second.SendAsync(Write(5, Hello.AsMemory(5)))).Offset);
        await second.EndAsync();

        Containerd.Services.Content.V1.Status status = (await Connection.Content.StatusAsync(new StatusRequest { Ref = "layer" })).Status;
        Assert.Equal(("layer", 12L, 12L), (status.Ref, status.Offset, status.Total));
        Assert.True(status.StartedAt.ToDateTimeOffset() <= status.UpdatedAt.ToDateTimeOffset());
        using Upload third = new(Connection);
        WriteContentResponse committed = await third.SendAsync(new WriteContentRequest
        {
            Ref = "layer", Action = WriteAction.Commit, Offset = 12, Total = 12, Expected = Name(Hello), Labels = { ["containerd.io/gc.root"] = "1" },
        });
        Assert.Equal((WriteAction.Commit, 12L, Name(Hello)), (committed.Action, committed.Offset, committed.Digest));
        await Refused(StatusCode.NotFound, "reference layer: not found", Call(Connection.Content.StatusAsync(new StatusRequest { Ref = "layer" })));
    }

    [SkippableFact]
    public async Task A_write_at_zero_starts_anew_and_another_total_makes_the_upload_anew()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using (Upload upload = new(Connection))
        {
            await upload.SendAsync(new WriteContentRequest { Ref = "anew", Total = 20 });
            await upload.SendAsync(Write(0, Hello));
            Assert.Equal((3L, Name(Hello.AsMemory(0, 3))), await OffsetAsync(upload.SendAsync(Write(0, Hello.AsMemory(0, 3)))));
            Assert.Equal((3L, Name(Hello.AsMemory(0, 3))), await OffsetAsync(upload.SendAsync(new WriteContentRequest())));
            await upload.EndAsync();
        }

        using Upload other = new(Connection);
        Assert.Equal(0, (await other.SendAsync(new WriteContentRequest { Ref = "anew", Total = 21 })).Offset);

        static async Task<(long, string)> OffsetAsync(Task<WriteContentResponse> sent)
        {
            WriteContentResponse response = await sent;
            return (response.Offset, response.Digest);
        }
    }

    [SkippableFact]
    public async Task Wrong_sizes_digests_references_and_labels_are_refused_and_lose_nothing()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string nobodys = Name("stored in no namespace"u8.ToArray());
        await Refused(StatusCode.InvalidArgument, "first message must have a reference: invalid argument", () => SendAsync(new WriteContentRequest()));
        WriteContentRequest first = new() { Ref = "wrong", Action = WriteAction.Write, Data = ByteString.CopyFrom(Hello) };
        using (Upload upload = new(Connection))
        {
            await upload.SendAsync(first);
            await upload.EndAsync();
        }

        await Refused(
            StatusCode.FailedPrecondition,
            $"\"{Connection.Namespace}/1/wrong\" failed size validation: 12 != 13: failed precondition",
            () => SendAsync(new WriteContentRequest { Ref = "wrong", Action = WriteAction.Commit, Total = 13 }));
        await Refused(
            StatusCode.FailedPrecondition,
            $"unexpected commit digest {Name(Hello)}, expected {nobodys}: failed precondition",
            () => SendAsync(new WriteContentRequest { Ref = "wrong", Action = WriteAction.Commit, Expected = nobodys }));
        await Refused(
            StatusCode.OutOfRange,
            "write @11 must occur at current offset 12: out of range",
            () => SendAsync(new WriteContentRequest { Ref = "wrong", Action = WriteAction.Commit, Offset = 11 }));
        await Refused(
            StatusCode.InvalidArgument,
            "label key and value length (4097 bytes) greater than maximum size (4096 bytes), key: k: invalid argument",
            () => SendAsync(new WriteContentRequest { Ref = "wrong", Action = WriteAction.Commit, Labels = { ["k"] = new string('v', 4096) } }));
        using Upload mismatched = new(Connection);
        Assert.Equal(12, (await mismatched.SendAsync(new WriteContentRequest { Ref = "wrong" })).Offset);
        await Refused(
            StatusCode.InvalidArgument, "ref mismatch: other != wrong: invalid argument", () => mismatched.SendAsync(new WriteContentRequest { Ref = "other" }));
    }

    [SkippableFact]
    public async Task Content_that_exists_is_not_uploaded_again_and_its_labels_stay()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string digest = await Upload.StoreAsync(Connection, Hello, Kept, ("k", "first"));
        string exists = $"content {digest}: already exists";
        await Refused(StatusCode.AlreadyExists, exists, () => SendAsync(new WriteContentRequest { Ref = "again", Expected = digest }));
        await Refused(StatusCode.AlreadyExists, exists, () => Upload.StoreAsync(Connection, Hello, ("k", "second")));
        using Upload late = new(Connection);
        await late.SendAsync(new WriteContentRequest { Ref = "late" });
        await Refused(
            StatusCode.AlreadyExists,
            $"blob with expected digest {digest} exists: already exists",
            () => late.SendAsync(new WriteContentRequest { Action = WriteAction.Write, Expected = digest, Data = ByteString.CopyFrom(Hello) }));
        Assert.Empty((await Connection.Content.ListStatusesAsync(new ListStatusesRequest())).Statuses);
        Assert.Equal("first", (await Connection.Content.InfoAsync(new InfoRequest { Digest = digest })).Info.Labels["k"]);
    }

    [SkippableFact]
    public async Task What_exists_already_is_kept_by_the_lease_of_who_wanted_to_write_it()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string digest = await Upload.StoreAsync(Connection, Hello, Kept);
        await Connection.Leases.CreateAsync(new CreateRequest { Id = "holder" });
        using ContainerdConnection leased = Connection.UnderLease("holder");
        await Refused(StatusCode.AlreadyExists, "", () => new Upload(leased).SendAsync(new WriteContentRequest { Ref = "again", Expected = digest }));
        Resource resource = Assert.Single((await Connection.Leases.ListResourcesAsync(new ListResourcesRequest { Id = "holder" })).Resources);
        Assert.Equal(("content", digest), (resource.Type, resource.Id));
        using ContainerdConnection nobody = Connection.UnderLease("none");
        await Refused(StatusCode.NotFound, "lease does not exist: not found", () => new Upload(nobody).SendAsync(new WriteContentRequest { Ref = "r" }));
        await Refused(StatusCode.NotFound, "lease does not exist: not found", () => Upload.StoreAsync(nobody, new byte[] { 1, 2 }));
        await leased.Content.DeleteAsync(new DeleteContentRequest { Digest = digest });
        Assert.Empty((await Connection.Leases.ListResourcesAsync(new ListResourcesRequest { Id = "holder" })).Resources);
    }

    [SkippableFact]
    public async Task Content_of_another_namespace_is_taken_over_by_its_digest()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using ContainerdConnection other = ContainerdConnection.Open(machine.Socket, "content-other");
        string digest = await Upload.StoreAsync(other, Hello, Kept, ("k", "theirs"));
        using (Upload upload = new(Connection))
        {
            Assert.Equal(12, (await upload.SendAsync(new WriteContentRequest { Ref = "adopt", Expected = digest, Total = 12 })).Offset);
            WriteContentRequest commit = new() { Action = WriteAction.Commit, Offset = 12, Labels = { ["containerd.io/gc.root"] = "1" } };
            Assert.Equal(digest, (await upload.SendAsync(commit)).Digest);
        }

        Assert.DoesNotContain("k", (await Connection.Content.InfoAsync(new InfoRequest { Digest = digest })).Info.Labels.Keys);
        await other.Content.DeleteAsync(new DeleteContentRequest { Digest = digest });
        Assert.Equal("hello world\n", await ReadAsync(digest, 0, 0));
    }

    [SkippableFact]
    public async Task Uploads_are_listed_by_reference_and_forgotten()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        foreach (string reference in new[] { "b/2", "a-1", "b/1" })
        {
            using Upload upload = new(Connection);
            await upload.SendAsync(new WriteContentRequest { Ref = reference, Action = WriteAction.Write, Data = ByteString.CopyFrom(Hello) });
            await upload.EndAsync();
        }

        Assert.Equal(["a-1", "b/1", "b/2"], await StatusesAsync());
        Assert.Equal(["b/1", "b/2"], await StatusesAsync("ref~=^b"));
        Assert.Equal(["a-1", "b/2"], await StatusesAsync("ref==a-1", "ref==\"b/2\""));
        await Connection.Content.AbortAsync(new AbortRequest { Ref = "b/1" });
        await Refused(StatusCode.NotFound, "reference b/1: not found", Call(Connection.Content.AbortAsync(new AbortRequest { Ref = "b/1" })));
        await Refused(StatusCode.NotFound, "reference b/1: not found", Call(Connection.Content.StatusAsync(new StatusRequest { Ref = "b/1" })));
        Assert.Equal(["a-1", "b/2"], await StatusesAsync());

        async Task<IEnumerable<string>> StatusesAsync(params string[] filters) =>
            (await Connection.Content.ListStatusesAsync(new ListStatusesRequest { Filters = { filters } })).Statuses.Select(status => status.Ref);
    }

    [SkippableFact]
    public async Task Empty_blobs_and_other_algorithms_are_content()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string empty = await Upload.StoreAsync(Connection, default, Kept);
        Assert.Equal("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", empty);
        Assert.Equal("", await ReadAsync(empty, 0, 0));
        foreach (string expected in new[] { $"sha512:{Convert.ToHexStringLower(SHA512.HashData(Hello))}", $"sha384:{Convert.ToHexStringLower(SHA384.HashData(Hello))}" })
        {
            WriteContentResponse committed = await SendAsync(new WriteContentRequest
            {
                Ref = "other", Action = WriteAction.Commit, Expected = expected, Data = ByteString.CopyFrom(Hello), Labels = { ["containerd.io/gc.root"] = "1" },
            });
            Assert.Equal(expected, committed.Digest);
            Assert.Equal("hello world\n", await ReadAsync(expected, 0, 0));
        }
    }

    [SkippableFact]
    public async Task What_lies_on_disk_is_as_containerd_lays_it_out()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string content = Path.Combine(machine.Root, "io.containerd.content.v1.content");
        string digest = await Upload.StoreAsync(Connection, Hello, Kept);
        string blob = Path.Combine(content, "blobs", "sha256", digest["sha256:".Length..]);
        Assert.Equal(Hello, await File.ReadAllBytesAsync(blob));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(blob));

        using Upload upload = new(Connection);
        await upload.SendAsync(new WriteContentRequest { Ref = "dir/x", Action = WriteAction.Write, Data = ByteString.CopyFrom(Hello), Total = 99 });
        string backend = $"{Connection.Namespace}/1/dir/x";
        string ingest = Path.Combine(content, "ingest", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(backend))));
        Assert.Equal(Hello, await File.ReadAllBytesAsync(Path.Combine(ingest, "data")));
        Assert.Equal(backend, await File.ReadAllTextAsync(Path.Combine(ingest, "ref")));
        Assert.Equal("99", await File.ReadAllTextAsync(Path.Combine(ingest, "total")));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$", await File.ReadAllTextAsync(Path.Combine(ingest, "startedat")));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$", await File.ReadAllTextAsync(Path.Combine(ingest, "updatedat")));
    }

    [SkippableFact]
    public async Task A_namespace_is_required()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Metadata bad = new() { { "containerd-namespace", "no good" } };
        await Refused(
            StatusCode.InvalidArgument,
            "namespace validation: identifier \"no good\" must match",
            Call(Connection.Content.ListStatusesAsync(new ListStatusesRequest(), bad)));
    }

    internal static async Task<RpcException> Refused(StatusCode code, string text, Func<Task> call)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal((code, true), (refused.StatusCode, refused.Status.Detail.StartsWith(text, StringComparison.Ordinal)));
        return refused;
    }

    internal static Func<Task> Call<T>(AsyncUnaryCall<T> call) => () => call.ResponseAsync;

    private static string Name(ReadOnlyMemory<byte> bytes) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes.Span))}";

    private static string Name(byte[] bytes) => Name(bytes.AsMemory());

    private static WriteContentRequest Write(long offset, ReadOnlyMemory<byte> bytes) =>
        new() { Action = WriteAction.Write, Offset = offset, Data = ByteString.CopyFrom(bytes.Span) };

    private async Task<WriteContentResponse> SendAsync(WriteContentRequest request)
    {
        using Upload upload = new(Connection);
        return await upload.SendAsync(request);
    }

    private async Task<string> ReadAsync(string digest, long offset, long size)
    {
        using AsyncServerStreamingCall<ReadContentResponse> call =
            Connection.Content.Read(new ReadContentRequest { Digest = digest, Offset = offset, Size = size });
        StringBuilder text = new();
        await foreach (ReadContentResponse part in call.ResponseStream.ReadAllAsync())
        {
            Assert.Equal(text.Length, part.Offset);
            text.Append(part.Data.ToStringUtf8());
        }

        return text.ToString();
    }

    private async Task<List<string>> ListAsync(string filter)
    {
        using AsyncServerStreamingCall<ListContentResponse> call = Connection.Content.List(new ListContentRequest { Filters = { filter } });
        List<string> found = [];
        await foreach (ListContentResponse part in call.ResponseStream.ReadAllAsync())
        {
            found.AddRange(part.Info.Select(info => info.Digest));
        }

        return found;
    }
}
