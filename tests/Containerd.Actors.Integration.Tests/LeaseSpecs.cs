// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Containerd.Actors.Client.Connections;
using Containerd.Services.Content.V1;
using Containerd.Services.Leases.V1;
using Grpc.Core;
using static Containerd.Actors.Integration.Tests.ContentSpecs;

namespace Containerd.Actors.Integration.Tests;

/// <summary>The leases service over its socket, and what leases keep.</summary>
public sealed class LeaseSpecs(Machine machine) : IClassFixture<Machine>, IDisposable
{
    private readonly ContainerdConnection? _connection =
        Repository.Missing.Length == 0 ? ContainerdConnection.Open(machine.Socket, $"leases-{Guid.NewGuid():N}"[..20]) : null;

    private ContainerdConnection Connection => _connection!;

    public void Dispose() => _connection?.Dispose();

    [SkippableFact]
    public async Task Leases_are_made_named_listed_and_ended()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Lease named = (await Connection.Leases.CreateAsync(new CreateRequest { Id = "one", Labels = { ["k"] = new string('v', 5000) } })).Lease;
        Assert.Equal(("one", 5000), (named.Id, named.Labels["k"].Length));
        Assert.Matches("^[0-9]+-[A-Za-z0-9_-]{4}$", (await Connection.Leases.CreateAsync(new CreateRequest())).Lease.Id);
        await Refused(StatusCode.AlreadyExists, "lease \"one\": already exists", Call(Connection.Leases.CreateAsync(new CreateRequest { Id = "one" })));
        Assert.Equal(["one"], (await Connection.Leases.ListAsync(new ListRequest { Filters = { "id==one" } })).Leases.Select(lease => lease.Id));
        Assert.Equal(2, (await Connection.Leases.ListAsync(new ListRequest())).Leases.Count);
        await Refused(StatusCode.InvalidArgument, "filters: parse error", Call(Connection.Leases.ListAsync(new ListRequest { Filters = { "=" } })));
        await Connection.Leases.DeleteAsync(new DeleteRequest { Id = "one" });
        const string Missing = "lease \"one\": not found";
        await Refused(StatusCode.NotFound, Missing, Call(Connection.Leases.DeleteAsync(new DeleteRequest { Id = "one" })));
        await Refused(StatusCode.NotFound, Missing, Call(Connection.Leases.ListResourcesAsync(new ListResourcesRequest { Id = "one" })));
        await Refused(StatusCode.NotFound, Missing, Call(Connection.Leases.AddResourceAsync(Adding("one", "images", "x"))));
        DeleteResourceRequest removal = new() { Id = "one", Resource = new Resource { Type = "images", Id = "x" } };
        await Refused(StatusCode.NotFound, Missing, Call(Connection.Leases.DeleteResourceAsync(removal)));
    }

    [SkippableFact]
    public async Task Resources_are_of_four_kinds_need_not_exist_and_are_listed_in_order()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Connection.Leases.CreateAsync(new CreateRequest { Id = "l" });
        string digest = $"sha256:{new string('a', 64)}";
        foreach ((string type, string id) in new[] { ("snapshots/overlayfs", "s"), ("ingests", "r"), ("content", digest), ("images", "i"), ("images", "i") })
        {
            await Connection.Leases.AddResourceAsync(Adding("l", type, id));
        }

        Assert.Equal(
            [("content", digest), ("images", "i"), ("ingests", "r"), ("snapshots/overlayfs", "s")],
            (await Connection.Leases.ListResourcesAsync(new ListResourcesRequest { Id = "l" })).Resources.Select(resource => (resource.Type, resource.Id)));
        await RefusedKind(StatusCode.InvalidArgument, "content/x", digest, "invalid resource type content/x: invalid argument");
        await RefusedKind(StatusCode.InvalidArgument, "ingests/x", "r", "invalid resource type ingests/x: invalid argument");
        await RefusedKind(StatusCode.InvalidArgument, "snapshots", "s", "invalid snapshot resource type snapshots: invalid argument");
        await RefusedKind(StatusCode.InvalidArgument, "content", "nothing", "invalid content resource id nothing: ");
        await RefusedKind(StatusCode.Unimplemented, "sandboxes", "x", "resource type sandboxes not supported yet: not implemented");
        DeleteResourceRequest removal = new() { Id = "l", Resource = new Resource { Type = "images", Id = "i" } };
        await Connection.Leases.DeleteResourceAsync(removal);
        await Connection.Leases.DeleteResourceAsync(removal);
        Assert.Equal(3, (await Connection.Leases.ListResourcesAsync(new ListResourcesRequest { Id = "l" })).Resources.Count);

        async Task RefusedKind(StatusCode code, string type, string id, string text) =>
            await Refused(code, text, Call(Connection.Leases.AddResourceAsync(Adding("l", type, id))));
    }

    [SkippableFact]
    public async Task What_a_lease_keeps_stays_until_it_is_ended_or_expired()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Connection.Leases.CreateAsync(new CreateRequest { Id = "keeper" });
        await Connection.Leases.CreateAsync(new CreateRequest { Id = "flat", Labels = { ["containerd.io/gc.flat"] = "1" } });

        // One that has expired may be collected at any moment, also before anything is stored under it.
        DateTimeOffset expiry = DateTimeOffset.UtcNow.AddSeconds(10);
        await Connection.Leases.CreateAsync(new CreateRequest { Id = "past", Labels = { ["containerd.io/gc.expire"] = Rfc3339(expiry) } });
        string leaf = await Store("keeper", "leaf");
        string parent = await Store("keeper", "parent", ("containerd.io/gc.ref.content.0", leaf));
        string gone = await Store("past", "gone");
        await Connection.Leases.AddResourceAsync(Adding("flat", "content", parent));
        await Command.UntilAsync(() => machine.CactlAsync("gc"), _ => DateTimeOffset.UtcNow > expiry);
        await machine.CactlAsync("gc");
        await Gone(gone);
        await Refused(StatusCode.NotFound, "lease \"past\": not found", Call(Connection.Leases.DeleteAsync(new DeleteRequest { Id = "past" })));
        Assert.Equal(2, (await machine.CactlAsync("-n", Connection.Namespace, "why", leaf)).Output.Split("└─").Length);

        await Connection.Leases.DeleteAsync(new DeleteRequest { Id = "keeper", Sync = true });
        await Gone(leaf);
        Assert.Equal(6, (await Connection.Content.InfoAsync(new InfoRequest { Digest = parent })).Info.Size);
        Assert.Contains("(flat lease)", (await machine.CactlAsync("-n", Connection.Namespace, "why", parent)).Output, StringComparison.Ordinal);
        await Connection.Leases.DeleteAsync(new DeleteRequest { Id = "flat", Sync = true });
        await Gone(parent);

        static string Rfc3339(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

        async Task<string> Store(string lease, string text, params (string, string)[] labels)
        {
            using ContainerdConnection leased = Connection.UnderLease(lease);
            return await Upload.StoreAsync(leased, Encoding.UTF8.GetBytes(text), labels);
        }

        Task Gone(string digest) =>
            Refused(StatusCode.NotFound, "", Call(Connection.Content.InfoAsync(new InfoRequest { Digest = digest })));
    }

    [SkippableFact]
    public async Task An_image_and_its_blobs_go_when_it_expires_or_is_deleted_with_patience()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await machine.CtrAsync("-n", "expiring", "image", "pull", "--plain-http", machine.Layers);
        Ran why = await machine.CactlAsync("-n", "expiring", "why", machine.Layers);
        Assert.Equal($"image {machine.Layers}: kept: image", why.Output.Split('\n')[0]);
        Ran dry = await machine.CactlAsync("gc", "--dry-run");
        Assert.DoesNotContain("expiring", dry.Output, StringComparison.Ordinal);
        await machine.CtrAsync("-n", "expiring", "image", "label", machine.Layers, "containerd.io/gc.expire=2020-01-01T00:00:00Z");
        dry = await machine.CactlAsync("gc", "--dry-run");
        Assert.Contains("expired at 2020-01-01T00:00:00Z", dry.Output, StringComparison.Ordinal);
        Ran collected = await machine.CactlAsync("gc", "--json");
        Assert.Contains("\"expiring\"", collected.Output, StringComparison.Ordinal);
        Assert.Empty((await machine.CtrAsync("-n", "expiring", "image", "ls", "-q")).Output);
        Assert.Empty((await machine.CtrAsync("-n", "expiring", "content", "ls", "-q")).Output);
        Assert.DoesNotContain("sha256", (await machine.CtrAsync("-n", "expiring", "snapshot", "ls")).Output, StringComparison.Ordinal);
    }

    private static AddResourceRequest Adding(string lease, string type, string id) =>
        new() { Id = lease, Resource = new Resource { Type = type, Id = id } };
}
