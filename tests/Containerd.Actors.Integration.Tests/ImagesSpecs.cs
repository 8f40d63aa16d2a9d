// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Images on their way out and in, with other people's tools on the other side.</summary>
public sealed class ImagesSpecs(Machine machine) : IClassFixture<Machine>
{
    private string Registry => machine.Busybox.Split('/')[0];

    [SkippableFact]
    public async Task An_exported_image_is_read_by_others_and_comes_back()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string archive = Path.Combine(machine.Root, "out.tar");
        await Done(machine.CactlAsync("export", archive, machine.Busybox));
        await Done(Command.RunAsync("skopeo", "inspect", $"oci-archive:{archive}"));
        await Done(Command.RunAsync("skopeo", "inspect", $"docker-archive:{archive}"));
        await Done(machine.CactlAsync("export", archive + ".again", machine.Busybox));
        Assert.Equal(await File.ReadAllBytesAsync(archive), await File.ReadAllBytesAsync(archive + ".again"));

        await Done(machine.CtrAsync("-n", "elsewhere", "image", "import", archive));
        Assert.Contains(machine.Busybox, (await machine.CtrAsync("-n", "elsewhere", "image", "ls")).Output, StringComparison.Ordinal);
        await Done(machine.CactlAsync("-n", "third", "import", archive));
        Assert.Equal("back\n", (await Done(machine.CactlAsync("-n", "third", "run", "--rm", machine.Busybox, "echo", "back"))).Output);
    }

    [SkippableFact]
    public async Task What_docker_saves_and_what_ctr_exports_is_imported_and_runs()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string docker = Path.Combine(machine.Root, "docker.tar");
        await Done(Command.RunAsync(
            "skopeo", "copy", "-q", "--src-tls-verify=false", $"docker://{machine.Busybox}", $"docker-archive:{docker}:saved:1"));
        Assert.Contains("docker.io/library/saved:1", (await Done(machine.CactlAsync("import", docker))).Output, StringComparison.Ordinal);
        Assert.Equal("saved\n", (await Done(machine.CactlAsync("run", "--rm", "docker.io/library/saved:1", "echo", "saved"))).Output);

        string exported = Path.Combine(machine.Root, "ctr.tar");
        await Done(machine.CtrAsync("image", "export", exported, machine.Busybox));
        Ran named = await Done(machine.CactlAsync("import", "--base-name", "r.test/again", "--digests", exported));
        Assert.Contains("r.test/again@sha256:", named.Output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_pushed_image_is_found_by_others_and_pulled_again()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Done(machine.CactlAsync("push", "--plain-http", machine.Busybox, $"{Registry}/pushed/app:1"));
        await Done(Command.RunAsync("skopeo", "inspect", "--tls-verify=false", $"docker://{Registry}/pushed/app:1"));
        await Done(machine.CactlAsync("-n", "puller", "pull", "--plain-http", $"{Registry}/pushed/app:1"));

        string again = (await Done(machine.CactlAsync("push", "--plain-http", machine.Busybox, $"{Registry}/pushed/app:1"))).Output;
        Assert.Contains(": exists", again, StringComparison.Ordinal);
        string log = (await machine.CactlAsync("audit", "log")).Output;
        Assert.Contains("transfer.completed", log, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_converted_image_runs_and_is_pushed_with_its_new_layers()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string name = $"{Registry}/converted/app:zstd";
        await Done(machine.CactlAsync("convert", machine.Busybox, name, "--compression", "zstd", "--oci"));
        Assert.Equal("zstd\n", (await Done(machine.CactlAsync("run", "--rm", name, "echo", "zstd"))).Output);
        await Done(machine.CactlAsync("push", "--plain-http", name));
        Ran inspected = await Done(Command.RunAsync("skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{name}"));
        Assert.Contains("tar+zstd", inspected.Output, StringComparison.Ordinal);

        // What nothing but the new image keeps must outlive a collection.
        await Done(machine.CactlAsync("gc"));
        await Done(machine.CactlAsync("-n", "fresh", "pull", "--plain-http", name));
        Assert.Equal("fresh\n", (await Done(machine.CactlAsync("-n", "fresh", "run", "--rm", name, "echo", "fresh"))).Output);
    }

    [SkippableFact]
    public async Task A_commit_holds_what_a_running_container_changed_and_lets_it_go_on()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Done(machine.CactlAsync("run", "-d", "--name", "changing", machine.Busybox, "sh", "-c", "echo new > /tmp/f; rm /bin/vi; exec sleep 1000"));
        try
        {
            await Command.UntilAsync(() => machine.CactlAsync("exec", "changing", "cat", "/tmp/f"), ran => ran.Output == "new\n");
            await Done(machine.CactlAsync("commit", "-m", "why", "changing", "r.test/committed:1"));
            Assert.Contains("RUNNING", (await machine.CactlAsync("ps")).Output, StringComparison.Ordinal);
            Ran ran = await Done(machine.CactlAsync("run", "--rm", "r.test/committed:1", "sh", "-c", "cat /tmp/f; test ! -e /bin/vi && echo gone"));
            Assert.Equal("new\ngone\n", ran.Output);
        }
        finally
        {
            await machine.CactlAsync("rm", "-f", "changing");
        }
    }

    [SkippableFact]
    public async Task What_cannot_be_moved_is_told_in_one_line_and_leaves_nothing()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string file = Path.Combine(machine.Root, "none.tar");
        await RefusedAsync("not found", machine.CactlAsync("export", file, "r.test/none:1"));
        Assert.Empty(Directory.EnumerateFiles(machine.Root, "none.tar*"));
        await RefusedAsync("not found", machine.CactlAsync("push", "r.test/none:1"));
        await RefusedAsync("connection refused", machine.CactlAsync("push", machine.Busybox, "127.0.0.1:1/a:1"));
        await File.WriteAllTextAsync(file, "no archive at all");
        await RefusedAsync("invalid tar archive", machine.CactlAsync("import", file));
        await Done(machine.CactlAsync("pull", "--plain-http", machine.Layers));
        await RefusedAsync("another image has this name", machine.CactlAsync("tag", machine.Layers, machine.Busybox));
    }

    [SkippableFact]
    public async Task An_import_that_a_killed_daemon_left_is_recorded_as_failed()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using Process import = Process.Start(new ProcessStartInfo(Repository.Cactl, ["--address", machine.Socket, "import", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await Command.UntilAsync(() => machine.CactlAsync("tree"), ran => ran.Output.Contains("(TransferActor)", StringComparison.Ordinal));
        await machine.KillDaemonAsync();
        await import.WaitForExitAsync();
        Assert.NotEqual(0, import.ExitCode);
        await machine.StartDaemonAsync();
        await Command.UntilAsync(
            () => machine.CactlAsync("audit", "log"), ran => ran.Output.Contains("import: the daemon ended meanwhile", StringComparison.Ordinal));
    }

    private static async Task<Ran> Done(Task<Ran> running)
    {
        Ran ran = await running;
        Assert.True(ran.Status == 0, ran.All);
        return ran;
    }

    private static async Task RefusedAsync(string text, Task<Ran> running)
    {
        Ran ran = await running;
        Assert.NotEqual(0, ran.Status);
        Assert.Contains(text, ran.Errors, StringComparison.Ordinal);
        Assert.Single(ran.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
