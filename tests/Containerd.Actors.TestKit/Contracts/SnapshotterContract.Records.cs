// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Services.Leases.V1;
using Containerd.Services.Snapshots.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.TestKit.Contracts;

// Labels, lists, leases and events: what a snapshotter's records do.
public abstract partial class SnapshotterContract
{
    [SkippableFact]
    public async Task Labels_are_changed_one_by_one_or_all_at_once()
    {
        await PrepareAsync("k", "", ("a", "1"), ("b", "2"));
        Info one = await UpdateAsync("k", ["labels.a"], ("a", "3"));
        Assert.Equal(("3", "2"), (one.Labels["a"], one.Labels["b"]));
        Info gone = await UpdateAsync("k", ["labels.a"]);
        Assert.False(gone.Labels.ContainsKey("a"));
        Info all = await UpdateAsync("k", [], ("c", "4"));
        Assert.Equal("4", all.Labels["c"]);
        Assert.False(all.Labels.ContainsKey("b"));
        Assert.True(all.UpdatedAt.ToDateTime() >= all.CreatedAt.ToDateTime());
        Assert.Equal(all.Labels, (await StatAsync("k")).Labels);
    }

    [SkippableFact]
    public async Task Nothing_but_labels_is_changed()
    {
        await PrepareAsync("k");
        await RefusedAsync(StatusCode.InvalidArgument, "cannot update \"parent\" field on snapshot \"k\": invalid argument", () => UpdateAsync("k", ["parent"]));
        await RefusedAsync(StatusCode.NotFound, "snapshot missing does not exist: not found", () => UpdateAsync("missing", []));
    }

    [SkippableFact]
    public async Task Long_labels_are_refused()
    {
        string value = new('v', 4096);
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "(info.Labels: )?label key and value .*greater than maximum size \\(4096 bytes\\), key: long: invalid argument",
            () => PrepareAsync("k", "", ("long", value)));
        await PrepareAsync("k");
        await RefusedAsync(StatusCode.InvalidArgument, null, () => CommitAsync("n", "k", "", ("long", value)));
    }

    [SkippableFact]
    public async Task A_list_is_in_the_order_of_keys()
    {
        foreach (string key in (string[])["b", "a", "c", "B"])
        {
            await PrepareAsync(key);
        }

        Assert.Equal(["B", "a", "b", "c"], await ListAsync());
    }

    [SkippableFact]
    public async Task A_list_is_filtered_by_kind_name_parent_and_labels()
    {
        await LayerAsync("n", "", _ => { });
        await PrepareAsync("k1", "n", ("colour", "red"), ("a/b.c", "x"));
        await PrepareAsync("k2", "", ("colour", "blue"));
        await ViewAsync("v", "n");
        Assert.Equal(["k1", "k2"], await ListAsync("kind==active"));
        Assert.Equal(["v"], await ListAsync("kind==view"));
        Assert.Equal(["n"], await ListAsync("kind==committed"));
        Assert.Equal(["k1", "v"], await ListAsync("parent==n"));
        Assert.Equal(["k2"], await ListAsync("name==k2"));
        Assert.Equal(["k1", "k2"], await ListAsync("name~=/^k/"));
        Assert.Equal(["k1"], await ListAsync("labels.colour==red"));
        Assert.Equal(["k1"], await ListAsync("labels.\"a/b.c\"==x"));
        Assert.Equal(["k1", "k2"], await ListAsync("labels.colour"));
        Assert.Equal(["k2"], await ListAsync("labels.colour!=red,kind==active"));
        Assert.Equal(["k2", "v"], await ListAsync("name==k2", "name==v"));
        await RefusedAsync(StatusCode.Unknown, "(.*: )?filters: parse error: .*", () => ListAsync("name=="));
    }

    [SkippableFact]
    public async Task Keys_of_one_namespace_are_nothing_to_another()
    {
        await LayerAsync("n", "", root => File.WriteAllText(Path.Combine(root, "f"), "x"));
        ContainerdConnection other = Daemon.Fresh();
        await RefusedAsync(
            StatusCode.NotFound, null, () => other.Snapshots.StatAsync(new StatSnapshotRequest { Snapshotter = snapshotter, Key = "n" }).ResponseAsync);
        await other.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = snapshotter, Key = "n" });
        Assert.Equal(Kind.Committed, (await StatAsync("n")).Kind);
    }

    [SkippableFact]
    public async Task What_is_made_under_a_lease_stays_with_it()
    {
        string lease = (await Client.Leases.CreateAsync(new CreateRequest { Id = "l" })).Lease.Id;
        ContainerdConnection leased = Client.UnderLease(lease);
        await leased.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = snapshotter, Key = "k" });
        ListResourcesResponse held = await Client.Leases.ListResourcesAsync(new ListResourcesRequest { Id = lease });
        Assert.Equal($"snapshots/{snapshotter} k", Assert.Single(held.Resources.Select(resource => $"{resource.Type} {resource.Id}")));
        await leased.Snapshots.CommitAsync(new CommitSnapshotRequest { Snapshotter = snapshotter, Name = "n", Key = "k" });
        held = await Client.Leases.ListResourcesAsync(new ListResourcesRequest { Id = lease });
        Assert.Contains(held.Resources, resource => resource.Id == "n");
        await Client.Leases.DeleteAsync(new DeleteRequest { Id = lease, Sync = true });
        await RefusedAsync(StatusCode.NotFound, null, () => StatAsync("n"));
    }

    [SkippableFact]
    public async Task A_target_that_exists_is_kept_by_the_lease_of_who_asked_for_it()
    {
        Skip.IfNot(LeasesTargets, "the daemon does not lease what it refuses to make again");
        await LayerAsync("chain", "", _ => { });
        string lease = (await Client.Leases.CreateAsync(new CreateRequest { Id = "l" })).Lease.Id;
        PrepareSnapshotRequest request = new() { Snapshotter = snapshotter, Key = "extract" };
        request.Labels.Add("containerd.io/snapshot.ref", "chain");
        await RefusedAsync(StatusCode.AlreadyExists, null, () => Client.UnderLease(lease).Snapshots.PrepareAsync(request).ResponseAsync);
        ListResourcesResponse held = await Client.Leases.ListResourcesAsync(new ListResourcesRequest { Id = lease });
        Assert.Equal("chain", Assert.Single(held.Resources).Id);
        await CollectAsync();
        Assert.Equal(Kind.Committed, (await StatAsync("chain")).Kind);
    }

    [SkippableFact]
    public async Task An_unknown_lease_is_refused()
    {
        ContainerdConnection leased = Client.UnderLease("never-made");
        await RefusedAsync(
            StatusCode.NotFound,
            null,
            () => leased.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = snapshotter, Key = "k" }).ResponseAsync);
        await RefusedAsync(StatusCode.NotFound, null, () => StatAsync("k"));
    }

    [SkippableFact]
    public async Task Directories_of_what_was_removed_go_when_garbage_is_collected()
    {
        string source = DirectoryOf((await PrepareAsync("k"))[0]);
        Assert.True(Directory.Exists(source));
        await RemoveAsync("k");
        await CollectAsync();
        Assert.False(Directory.Exists(source));
    }

    [SkippableFact]
    public async Task Preparing_committing_and_removing_are_told_as_events()
    {
        using CancellationTokenSource end = new(TimeSpan.FromSeconds(30));
        using AsyncServerStreamingCall<Types.Envelope> events = Client.Events.Subscribe(
            new Services.Events.V1.SubscribeRequest { Filters = { $"namespace=={Client.Namespace}" } }, cancellationToken: end.Token);
        await SubscribedAsync(events, end.Token);
        await PrepareAsync("k");
        await CommitAsync("n", "k");
        await RemoveAsync("n");
        List<string> topics = [];
        while (topics.Count < 3 && await events.ResponseStream.MoveNext(end.Token))
        {
            topics.AddRange(new[] { events.ResponseStream.Current.Topic }.Where(topic => topic.StartsWith("/snapshot/", StringComparison.Ordinal)));
        }

        Assert.Equal(["/snapshot/prepare", "/snapshot/commit", "/snapshot/remove"], topics);
    }

    // containerd says nothing when a subscription begins: it has begun when something published arrives.
    private async Task SubscribedAsync(AsyncServerStreamingCall<Types.Envelope> events, CancellationToken end)
    {
        Task<bool> first = events.ResponseStream.MoveNext(end);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (!first.IsCompleted)
        {
            await Client.Events.PublishAsync(new Services.Events.V1.PublishRequest
            {
                Topic = "/test/begun",
                Event = new Any { TypeUrl = "containerd.events.SnapshotRemove" },
            });
            await timer.WaitForNextTickAsync(end);
        }

        Assert.True(await first);
    }

    private async Task<Info> UpdateAsync(string key, string[] paths, params (string Key, string Value)[] labels)
    {
        UpdateSnapshotRequest request = new() { Snapshotter = snapshotter, Info = new Info { Name = key } };
        request.Info.Labels.Add(labels.ToDictionary(label => label.Key, label => label.Value));
        if (paths.Length > 0)
        {
            request.UpdateMask = new FieldMask();
            request.UpdateMask.Paths.Add(paths);
        }

        return (await Client.Snapshots.UpdateAsync(request)).Info;
    }

    private async Task<List<string>> ListAsync(params string[] filters)
    {
        ListSnapshotsRequest request = new() { Snapshotter = snapshotter };
        request.Filters.Add(filters);
        List<string> keys = [];
        using AsyncServerStreamingCall<ListSnapshotsResponse> call = Client.Snapshots.List(request);
        await foreach (ListSnapshotsResponse message in call.ResponseStream.ReadAllAsync())
        {
            keys.AddRange(message.Info.Select(info => info.Name));
        }

        return keys;
    }
}
