// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Mounts.V1;
using Containerd.Types;
using Grpc.Core;
using static Containerd.Actors.Integration.Tests.ContentSpecs;

namespace Containerd.Actors.Integration.Tests;

/// <summary>The mounts service over its socket, and what becomes of mounts when the daemon is killed or the machine goes down.</summary>
public sealed class MountsSpecs(ActorsDaemon daemon) : IClassFixture<ActorsDaemon>
{
    private readonly string _work = Path.Combine(daemon.Work, $"w-{Guid.NewGuid():N}"[..10]);

    // What a test that failed left behind is no other test's business.
    private readonly HashSet<string> _before = [.. Points(daemon)];

    [SkippableFact]
    public async Task What_clients_can_mount_is_left_to_them_and_refusals_are_containerds()
    {
        ContainerdConnection client = Able();
        Mount bind = new() { Type = "bind", Source = "/", Options = { "rbind", "ro" } };
        await Refused(StatusCode.Unimplemented, "not implemented", Call(client.Mounts.ActivateAsync(Activate("m", bind))));
        await Refused(StatusCode.Unimplemented, "not implemented", Call(client.Mounts.ActivateAsync(Activate("m"))));
        await Refused(StatusCode.NotFound, "mount \"m\" not found", Call(client.Mounts.InfoAsync(new InfoRequest { Name = "m" })));
        await Refused(StatusCode.NotFound, "mount \"m\" not found", Call(client.Mounts.DeactivateAsync(new DeactivateRequest { Name = "m" })));
        await Refused(StatusCode.Unimplemented, "not implemented", Call(client.Mounts.UpdateAsync(new UpdateRequest())));
        await Refused(StatusCode.InvalidArgument, "mount name must not be empty: invalid argument", Call(client.Mounts.ActivateAsync(Activate("", Image("one")))));
        Mount broken = new() { Type = "format/bind", Source = "{{ mount 5 }}" };
        await Refused(
            StatusCode.InvalidArgument,
            "mount template \"{{ mount 5 }}\": index out of bounds: 5, has 1 active mounts: invalid argument",
            Call(client.Mounts.ActivateAsync(Activate("m", Image("one"), broken))));
        await Refused(StatusCode.NotFound, "lease does not exist: not found", Call(client.UnderLease("none").Mounts.ActivateAsync(Activate("m", Image("one")))));
        Assert.Empty(Mounted());
    }

    [SkippableFact]
    public async Task What_was_activated_can_be_mounted_by_whoever_asked()
    {
        ContainerdConnection client = await LeasedAsync(Able());
        ActivationInfo info = (await client.Mounts.ActivateAsync(Activate("m", Image("one"), Image("two"), Overlay))).Info;
        Assert.Equal(("m", 2, 1), (info.Name, info.Active.Count, info.System.Count));
        Assert.True(info.Active.All(active => active.MountedAt.Seconds > 0 && active.MountPoint.StartsWith(daemon.State, StringComparison.Ordinal)));
        await Refused(StatusCode.AlreadyExists, "mount \"m\": already exists", Call(client.Mounts.ActivateAsync(Activate("m", Image("one")))));
        Assert.Equal(["one", "two"], Seen(info).Order());
        Assert.Equal(info, (await client.Mounts.InfoAsync(new InfoRequest { Name = "m" })).Info);
        Assert.Equal([info], await ListAsync(client));
        await client.Mounts.DeactivateAsync(new DeactivateRequest { Name = "m" });
        Assert.Empty(Mounted());
        Assert.Empty(await ListAsync(client));
    }

    [SkippableFact]
    public async Task All_of_a_temporary_one_is_mounted_and_shown_in_one_place()
    {
        ContainerdConnection client = await LeasedAsync(Able());
        ActivationInfo info = (await client.Mounts.ActivateAsync(new ActivateRequest
        {
            Name = "m", Temporary = true, Mounts = { Image("one"), Image("two"), Overlay },
        })).Info;
        Mount left = Assert.Single(info.System);
        Assert.Equal((3, "bind"), (info.Active.Count, left.Type));
        Assert.Equal(["one", "two"], Directory.GetFiles(left.Source).Select(Path.GetFileName).Order());
        await client.Mounts.DeactivateAsync(new DeactivateRequest { Name = "m" });
        Assert.Empty(Mounted());
    }

    [SkippableFact]
    public async Task Mounts_outlive_a_kill_of_the_daemon_and_are_found_again()
    {
        ContainerdConnection client = await LeasedAsync(Able());
        ActivationInfo info = (await client.Mounts.ActivateAsync(Activate("m", Image("one"), Loop(), Ext4))).Info;
        string before = string.Join(' ', Mounted());
        await daemon.KillAsync();
        await daemon.StartAsync();
        Assert.Equal(info, (await client.Mounts.InfoAsync(new InfoRequest { Name = "m" })).Info);
        Assert.Equal(before, string.Join(' ', Mounted()));
        string device = new FileInfo(info.Active[1].MountPoint).LinkTarget!;
        Assert.True(LoopDevice.IsAttached(device, info.Active[1].Mount.Source));
        string shown = Shown(info);
        Assert.Contains("lost+found", Directory.GetDirectories(shown).Select(Path.GetFileName));
        Mounter.Unmount(shown);
        await client.Mounts.DeactivateAsync(new DeactivateRequest { Name = "m" });
        Assert.Empty(Mounted());
        Assert.False(LoopDevice.IsAttached(device, info.Active[1].Mount.Source));
    }

    [SkippableFact]
    public async Task What_is_gone_when_the_daemon_comes_back_is_said_to_be_gone()
    {
        ContainerdConnection client = await LeasedAsync(Able());
        ActivationInfo info = (await client.Mounts.ActivateAsync(Activate("m", Image("one")))).Info;
        await daemon.KillAsync();
        Mounter.UnmountAll(info.Active[0].MountPoint);
        await daemon.StartAsync();
        await Refused(StatusCode.NotFound, "mount \"m\" not found", Call(client.Mounts.InfoAsync(new InfoRequest { Name = "m" })));
        await client.Mounts.ActivateAsync(Activate("m", Image("one")));
        Ran audit = await Command.RunAsync(Repository.Cactl, "--address", daemon.Address, "-n", client.Namespace, "audit", "log", "--json");
        Assert.Contains("any more", audit.Output, StringComparison.Ordinal);
        await client.Mounts.DeactivateAsync(new DeactivateRequest { Name = "m" });
    }

    [SkippableFact]
    public async Task Only_a_lease_or_a_label_keeps_what_is_mounted()
    {
        ContainerdConnection plain = Able();
        ContainerdConnection leased = await LeasedAsync(plain);
        await leased.Mounts.ActivateAsync(Activate("leased", Image("one")));
        await plain.Containers.CreateAsync(new Services.Containers.V1.CreateContainerRequest { Container = Container("c") });
        ActivateRequest labelled = Activate("labelled", Image("one"));
        labelled.Labels["containerd.io/gc.bref.container"] = "c";
        await plain.Mounts.ActivateAsync(labelled);
        Ran why = await CactlAsync(plain, "why", "labelled");
        Assert.Contains("container c", why.Output, StringComparison.Ordinal);

        await plain.Mounts.ActivateAsync(Activate("loose", Image("one")));
        await CollectAsync(plain);
        Assert.Equal(["labelled", "leased"], (await ListAsync(plain)).Select(info => info.Name));
        Assert.Equal(2, Mounted().Count);

        await plain.Leases.DeleteAsync(new Services.Leases.V1.DeleteRequest { Id = leased.Lease, Sync = true });
        await plain.Containers.DeleteAsync(new Services.Containers.V1.DeleteContainerRequest { Id = "c" });
        await CollectAsync(plain);
        Assert.Empty(await ListAsync(plain));
        Assert.Empty(Mounted());
    }

    [SkippableFact]
    public async Task What_would_be_unmounted_is_told_and_left()
    {
        ContainerdConnection client = await LeasedAsync(Able());
        await client.Mounts.ActivateAsync(Activate("kept", Image("one")));
        Ran dry = await CactlAsync(client, "gc", "--dry-run");
        Assert.DoesNotContain("kept", dry.Output, StringComparison.Ordinal);
        Ran why = await CactlAsync(client, "why", "kept");
        Assert.Contains($"mount kept: kept by lease {client.Lease}", why.Output, StringComparison.Ordinal);
        await client.Mounts.DeactivateAsync(new DeactivateRequest { Name = "kept" });
    }

    [SkippableFact]
    public async Task A_kill_in_the_middle_of_activations_leaves_no_mount_behind()
    {
        ContainerdConnection client = await LeasedAsync(Able());
        Mount[] mounts = [.. Enumerable.Range(0, 20).Select(_ => Image("one")), Overlay];
        Task[] calls = [.. Enumerable.Range(0, 8).Select(i => Ended(client.Mounts.ActivateAsync(Activate($"m{i}", mounts))))];
        await Command.UntilAsync(() => Task.FromResult(new Ran(Mounted().Count, "", "")), ran => ran.Status > 10, TimeSpan.FromSeconds(30));
        await daemon.KillAsync();
        await Task.WhenAll(calls);
        await daemon.StartAsync();
        foreach (ActivationInfo info in await ListAsync(client))
        {
            Assert.Equal(20, info.Active.Count(active => Mounted().Contains(active.MountPoint)));
        }

        await client.Leases.DeleteAsync(new Services.Leases.V1.DeleteRequest { Id = client.Lease, Sync = true });
        Assert.Empty(await ListAsync(client));
        Assert.Empty(Mounted());
        Assert.Equal(_before.Select(point => Path.GetDirectoryName(point)).Distinct().Count(), Directory.GetDirectories(Path.Combine(daemon.State, "io.containerd.mount-manager.v1.bolt", "t")).Length);
    }

    [SkippableFact]
    public async Task The_parts_are_listed_as_containerd_lists_them()
    {
        ContainerdConnection client = Able();
        Services.Introspection.V1.PluginsResponse plugins = await client.Introspection.PluginsAsync(new Services.Introspection.V1.PluginsRequest());
        foreach (string name in (string[])["mount-manager.v1/bolt", "mount-handler.v1/erofs", "mount-handler.v1/loop", "grpc.v1/mounts", "snapshotter.v1/erofs"])
        {
            Assert.Null(Assert.Single(plugins.Plugins, plugin => $"{plugin.Type}/{plugin.Id}" == $"io.containerd.{name}").InitErr);
        }
    }

    private static Mount Overlay => new() { Type = "format/overlay", Source = "overlay", Options = { "lowerdir={{ overlay 0 1 }}" } };

    private static Mount Ext4 => new() { Type = "format/ext4", Source = "{{ mount 1 }}" };

    private static Services.Containers.V1.Container Container(string id) => new()
    {
        Id = id,
        Runtime = new Services.Containers.V1.Container.Types.Runtime { Name = "io.containerd.runc.v2" },
        Spec = new Google.Protobuf.WellKnownTypes.Any { TypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/Spec", Value = Google.Protobuf.ByteString.CopyFromUtf8("{}") },
    };

    private static ActivateRequest Activate(string name, params Mount[] mounts) => new() { Name = name, Mounts = { mounts } };

    private static async Task<List<ActivationInfo>> ListAsync(ContainerdConnection client)
    {
        using AsyncServerStreamingCall<ListMessage> call = client.Mounts.List(new ListRequest());
        return await call.ResponseStream.ReadAllAsync().Select(message => message.Info).ToListAsync();
    }

    private static async Task<ContainerdConnection> LeasedAsync(ContainerdConnection client)
    {
        string id = (await client.Leases.CreateAsync(new Services.Leases.V1.CreateRequest())).Lease.Id;
        return client.UnderLease(id);
    }

    private static async Task CollectAsync(ContainerdConnection client) => await client.Node.CollectAsync(new Node.V1.CollectRequest());

    private static async Task Ended<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            await call;
        }
        catch (RpcException)
        {
            // The daemon was killed, which is what this is about.
        }
    }

    private ContainerdConnection Able()
    {
        Skip.IfNot(daemon.Missing.Length == 0, daemon.Missing);
        Skip.IfNot(File.Exists("/usr/bin/mkfs.erofs"), "needs mkfs.erofs");
        Skip.IfNot(File.ReadAllText("/proc/filesystems").Contains("\terofs", StringComparison.Ordinal), "the kernel does not know EROFS");
        return daemon.Fresh();
    }

    private Task<Ran> CactlAsync(ContainerdConnection client, params string[] arguments) =>
        Command.RunAsync(Repository.Cactl, ["--address", daemon.Address, "-n", client.Namespace, .. arguments]);

    // An image of a directory with one file of that name.
    private Mount Image(string name)
    {
        string image = Path.Combine(_work, $"{name}.erofs");
        if (!File.Exists(image))
        {
            string tree = Directory.CreateDirectory(Path.Combine(_work, name)).FullName;
            File.WriteAllText(Path.Combine(tree, name), name);
            Ran made = Command.RunAsync("mkfs.erofs", "--quiet", image, tree).Result;
            Assert.True(made.Status == 0, made.All);
        }

        return new Mount { Type = "erofs", Source = image, Options = { "ro", "loop" } };
    }

    private Mount Loop()
    {
        string image = Path.Combine(Directory.CreateDirectory(_work).FullName, "ext4");
        Ran made = Command.RunAsync("sh", "-c", $"truncate -s 4M {image} && /usr/sbin/mkfs.ext4 -q {image}").Result;
        Assert.True(made.Status == 0, made.All);
        return new Mount { Type = "loop", Source = image };
    }

    // What the system mounts show, for a moment.
    private IEnumerable<string?> Seen(ActivationInfo info) => Directory.GetFiles(Shown(info)).Select(Path.GetFileName);

    private string Shown(ActivationInfo info)
    {
        string target = Directory.CreateDirectory(Path.Combine(_work, $"t-{Guid.NewGuid():N}")).FullName;
        Mounter.MountAll([.. info.System.Select(mount => new Core.Mounts.Mount(mount.Type, mount.Source, mount.Target, [.. mount.Options]))], target);
        return target;
    }

    // Mount points of the mount manager that something is mounted on.
    private List<string> Mounted() => [.. Points(daemon).Where(point => !_before.Contains(point))];

    private static IEnumerable<string> Points(ActorsDaemon daemon) =>
        Mountinfo.Read().Select(entry => entry.MountPoint).Where(path => path.StartsWith(daemon.State + "/", StringComparison.Ordinal));
}
