// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Services.Mounts.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Types;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Containers whose root file systems are EROFS images: by the snapshotter, and by mounts that only the daemon can make.</summary>
public sealed class ErofsSpecs(Machine machine) : IClassFixture<Machine>
{
    private const string Snapshotter = "erofs";

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Clients_pull_and_run_on_images_of_layers(bool isTwo)
    {
        Able();
        string ctr = isTwo ? Clients.Programs.Ctr2 ?? "" : "ctr";
        Skip.If(ctr.Length == 0, "needs a ctr of containerd 2");
        string[] local = isTwo ? ["--local"] : [];
        await OkAsync(ctr, "image", ["pull", .. local, "--plain-http", "--snapshotter", Snapshotter, machine.Layers]);
        string id = $"r{(isTwo ? 2 : 1)}";
        Assert.Equal(
            "one\nf\nnew\n",
            await OkAsync(ctr, "run", "--rm", "--snapshotter", Snapshotter, machine.Layers, id, "sh", "-c", "cat /data/f; ls /data; echo new >/data/n; cat /data/n"));
        Assert.Contains(machine.Mounts(), mount => mount.EndsWith("/layer", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task The_daemon_pulls_onto_it_and_what_was_removed_below_stays_removed()
    {
        Able();
        await OkAsync(Repository.Cactl, "pull", "--plain-http", "--snapshotter", Snapshotter, machine.Layers);
        Assert.Equal("f\n", await OkAsync(Repository.Cactl, "run", "--rm", "--snapshotter", Snapshotter, machine.Layers, "ls", "/data"));
    }

    [SkippableFact]
    public async Task Images_are_unmounted_and_removed_with_the_last_who_needs_them()
    {
        Able();
        using ContainerdConnection other = ContainerdConnection.Open(machine.Socket, "erofs-gc");
        await OkAsync("ctr", "-n", other.Namespace, "image", "pull", "--plain-http", "--snapshotter", Snapshotter, machine.Busybox);
        await OkAsync("ctr", "-n", other.Namespace, "run", "--rm", "--snapshotter", Snapshotter, machine.Busybox, "gone", "true");
        int before = Layers().Count;
        Assert.True(before > 0);
        await other.Images.DeleteAsync(new Services.Images.V1.DeleteImageRequest { Name = machine.Busybox, Sync = true });
        Assert.True(Layers().Count < before, string.Join(' ', Layers()));
    }

    [SkippableFact]
    public async Task A_reboot_takes_the_mounts_and_the_next_who_asks_gets_them_again()
    {
        Able();
        await OkAsync("ctr", "image", "pull", "--plain-http", "--snapshotter", Snapshotter, machine.Busybox);
        await OkAsync("ctr", "container", "create", "--snapshotter", Snapshotter, machine.Busybox, "again", "echo", "again");
        await machine.KillDaemonAsync();
        foreach (string layer in Layers())
        {
            await OkAsync("umount", layer);
        }

        await machine.StartDaemonAsync();
        using ContainerdConnection client = ContainerdConnection.Open(machine.Socket, "default");
        Mount mount = Assert.Single((await client.Snapshots.MountsAsync(new Services.Snapshots.V1.MountsRequest { Snapshotter = Snapshotter, Key = "again" })).Mounts);
        Assert.Equal("overlay", mount.Type);
        Assert.NotEmpty(Layers());
        await OkAsync("ctr", "container", "rm", "again");
    }

    [SkippableFact]
    public async Task A_task_is_given_what_the_daemon_mounts_for_it_over_a_kill_and_to_its_end()
    {
        Able();
        using ContainerdConnection client = ContainerdConnection.Open(machine.Socket, "default");
        await OkAsync("ctr", "container", "create", machine.Busybox, "task", "/go");
        CreateTaskRequest create = new() { ContainerId = "task" };
        create.Rootfs.AddRange(await RootfsAsync("task"));
        await client.Tasks.CreateAsync(create);
        ActivationInfo info = (await client.Mounts.InfoAsync(new InfoRequest { Name = "task" })).Info;
        Assert.Equal("task", info.Labels["containerd.io/gc.bref.container"]);
        Assert.Contains(info.Active[0].MountPoint, machine.Mounts());
        await client.Tasks.StartAsync(new StartRequest { ContainerId = "task" });

        await machine.KillDaemonAsync();
        await machine.StartDaemonAsync();
        await OkAsync(Repository.Cactl, "gc");
        Assert.Equal(info, (await client.Mounts.InfoAsync(new InfoRequest { Name = "task" })).Info);
        Assert.Equal("mark\n", await OkAsync("ctr", "task", "exec", "--exec-id", "e", "task", "cat", "/mark"));

        await client.Tasks.KillAsync(new KillRequest { ContainerId = "task", Signal = 9 });
        await client.Tasks.WaitAsync(new WaitRequest { ContainerId = "task" });
        await client.Tasks.DeleteAsync(new DeleteTaskRequest { ContainerId = "task" });
        RpcException gone = await Assert.ThrowsAsync<RpcException>(() => client.Mounts.InfoAsync(new InfoRequest { Name = "task" }).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, gone.StatusCode);
        Assert.DoesNotContain(machine.Mounts(), mount => mount.Contains("mount-manager", StringComparison.Ordinal));
        await OkAsync("ctr", "container", "rm", "task");
    }

    [SkippableFact]
    public async Task A_task_that_is_not_made_leaves_nothing_mounted()
    {
        Able();
        using ContainerdConnection client = ContainerdConnection.Open(machine.Socket, "default");
        await OkAsync("ctr", "container", "create", machine.Busybox, "broken", "/none/such");
        CreateTaskRequest create = new() { ContainerId = "broken" };
        create.Rootfs.AddRange(await RootfsAsync("broken"));
        await Assert.ThrowsAsync<RpcException>(() => client.Tasks.CreateAsync(create).ResponseAsync);
        Assert.DoesNotContain(machine.Mounts(), mount => mount.Contains("mount-manager", StringComparison.Ordinal));
        create.Rootfs[^1].Options.Add("lowerdir={{ mount 7 }}");
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => client.Tasks.CreateAsync(create).ResponseAsync);
        Assert.Contains("index out of bounds: 7, has 1 active mounts", refused.Status.Detail, StringComparison.Ordinal);
        await OkAsync("ctr", "container", "rm", "broken");
    }

    [SkippableFact]
    public async Task A_sandbox_in_our_shim_is_given_what_the_daemon_mounts_for_it_over_a_kill_and_to_its_end()
    {
        Able();
        Skip.IfNot(Repository.MissingShim.Length == 0, Repository.MissingShim);
        using PodClient pods = new(machine, "io.containerd.runc.v2");
        uint pid = await pods.StartAsync("layered", await RootfsAsync("layered"));
        InfoRequest asked = new() { Name = "sandbox/layered" };
        ActivationInfo info = (await pods.Daemon.Mounts.InfoAsync(asked)).Info;
        Assert.Contains(info.Active[0].MountPoint, machine.Mounts());
        Assert.Equal("mark\n", await File.ReadAllTextAsync($"/proc/{pid}/root/mark"));

        await machine.KillDaemonAsync();
        await machine.StartDaemonAsync();
        await OkAsync(Repository.Cactl, "gc");
        Assert.Equal(info, (await pods.Daemon.Mounts.InfoAsync(asked)).Info);
        await pods.ShutdownAsync("layered");
        RpcException gone = await Assert.ThrowsAsync<RpcException>(() => pods.Daemon.Mounts.InfoAsync(asked).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, gone.StatusCode);
        Assert.DoesNotContain(machine.Mounts(), mount => mount.Contains("mount-manager", StringComparison.Ordinal));
    }

    private static void Able()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Skip.IfNot(File.Exists("/usr/bin/mkfs.erofs"), "needs mkfs.erofs");
        Skip.IfNot(File.ReadAllText("/proc/filesystems").Contains("\terofs", StringComparison.Ordinal), "the kernel does not know EROFS");
    }

    private List<string> Layers() => [.. machine.Mounts().Where(mount => mount.EndsWith("/layer", StringComparison.Ordinal))];

    // An image of a small tree below a directory of its own, as snapshotters of containerd 2.2 tell of it.
    private async Task<Mount[]> RootfsAsync(string name)
    {
        string work = Path.Combine(Path.GetDirectoryName(machine.Root)!, name);
        await OkAsync(
            "sh", "-ec", $"mkdir -p {work}/upper {work}/tree/bin {work}/tree/proc {work}/tree/sys {work}/tree/dev {work}/tree/run {work}/tree/etc; cp /bin/busybox {work}/tree/bin/; "
                + $"for a in sh cat sleep; do ln -s busybox {work}/tree/bin/$a; done; echo mark >{work}/tree/mark; printf '#!/bin/sh\nexec sleep 1000\n' >{work}/tree/go; chmod 755 {work}/tree/go; mkfs.erofs --quiet {work}/image {work}/tree");
        Mount overlay = new() { Type = "format/mkdir/overlay", Source = "overlay" };
        overlay.Options.AddRange([$"X-containerd.mkdir.path={machine.Root}/{name}-work:0711", $"workdir={machine.Root}/{name}-work", $"upperdir={machine.Root}/{name}-upper", "lowerdir={{ mount 0 }}"]);
        overlay.Options.Insert(0, $"X-containerd.mkdir.path={machine.Root}/{name}-upper:0755");
        return [new Mount { Type = "erofs", Source = $"{work}/image", Options = { "ro", "loop" } }, overlay];
    }

    private async Task<string> OkAsync(string program, string first, params string[] more)
    {
        bool isClient = program.EndsWith("ctr", StringComparison.Ordinal) || program == Repository.Cactl;
        string[] arguments = isClient ? ["--address", machine.Socket, first, .. more] : [first, .. more];
        Ran ran = await Command.RunAsync(program, arguments);
        Assert.True(ran.Status == 0, $"{program} {string.Join(' ', arguments)}: {ran.All}");
        return ran.Output;
    }
}
