// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Integration.Tests.Clients;

/// <summary>What a user of docker does, with dockerd on top of our daemon.</summary>
public abstract class DockerContract(DockerMachine docker)
{
    [SkippableFact]
    public async Task A_container_prints_and_its_exit_status_comes_back()
    {
        Skip.IfNot(docker.Missing.Length == 0, docker.Missing);
        Ran ran = await RunAsync("sh", "-c", "echo out; echo err >&2; exit 7");
        Assert.Equal((7, "out\n", "err\n"), (ran.Status, ran.Output, ran.Errors));
    }

    [SkippableFact]
    public async Task Standard_input_reaches_the_container_and_ends()
    {
        Skip.IfNot(docker.Missing.Length == 0, docker.Missing);
        Assert.Equal("abc", (await docker.DockerAsync("abc", ["run", "-i", "--rm", "--network", "none", docker.Image, "cat"])).Output);
    }

    [SkippableFact]
    public async Task A_container_lives_through_all_that_docker_does_to_it()
    {
        Skip.IfNot(docker.Missing.Length == 0, docker.Missing);
        await OkAsync("run", "-d", "--name", "life", "--network", "none", docker.Image, "sh", "-c", "echo up; exec sleep 1000");
        Assert.Equal("in\n", await OkAsync("exec", "life", "echo", "in"));
        Assert.Equal(3, (await docker.DockerAsync("exec", "life", "sh", "-c", "exit 3")).Status);
        Assert.Equal("xyz", (await docker.DockerAsync("xyz", ["exec", "-i", "life", "cat"])).Output);
        await Command.UntilAsync(() => docker.DockerAsync("logs", "life"), ran => ran.Output == "up\n");
        Assert.Contains("sleep", await OkAsync("top", "life"), StringComparison.Ordinal);
        await OkAsync("pause", "life");
        Assert.Contains("Paused", await OkAsync("ps"), StringComparison.Ordinal);
        await OkAsync("unpause", "life");
        await OkAsync("update", "--pids-limit", "50", "life");
        await OkAsync("restart", "-t", "1", "life");
        Task<Ran> waiting = docker.DockerAsync("wait", "life");
        await OkAsync("kill", "life");
        Assert.Equal("137\n", (await waiting).Output);
        await Command.UntilAsync(() => docker.DockerAsync("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "life"), ran => ran.Output == "exited 137\n");
        await OkAsync("rm", "life");
        await Command.UntilAsync(() => docker.Below.CtrAsync("-n", "moby", "task", "ls", "-q"), ran => ran.Output.Length == 0);
        Assert.Empty((await docker.Below.CtrAsync("-n", "moby", "container", "ls", "-q")).Output);
    }

    [SkippableFact]
    public async Task A_container_that_wants_too_much_memory_is_ended_and_docker_knows_why()
    {
        Skip.IfNot(docker.Missing.Length == 0, docker.Missing);
        Assert.Equal(137, (await docker.DockerAsync("run", "--name", "oom", "--network", "none", "-m", "8m", docker.Image, "tail", "/dev/zero")).Status);
        await Command.UntilAsync(() => docker.DockerAsync("inspect", "-f", "{{.State.OOMKilled}}", "oom"), ran => ran.Output == "true\n");
        await OkAsync("rm", "oom");
    }

    [SkippableFact]
    public async Task A_policy_starts_a_container_that_fails_again()
    {
        Skip.IfNot(docker.Missing.Length == 0, docker.Missing);
        await OkAsync("run", "-d", "--name", "again", "--restart", "on-failure:2", "--network", "none", docker.Image, "sh", "-c", "exit 1");
        await Command.UntilAsync(
            () => docker.DockerAsync("inspect", "-f", "{{.RestartCount}} {{.State.Status}}", "again"), ran => ran.Output == "2 exited\n");
        await OkAsync("rm", "-f", "again");
    }

    [SkippableFact]
    public async Task Containers_start_at_once()
    {
        Skip.IfNot(docker.Missing.Length == 0, docker.Missing);
        Ran[] many = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => RunAsync("echo", $"{i}")));
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"{i}\n"), many.Select(ran => ran.Output));
    }

    [SkippableFact]
    public async Task An_image_of_layers_is_pulled_run_and_removed()
    {
        Skip.IfNot(docker.Missing.Length == 0, docker.Missing);
        await OkAsync("pull", docker.Layers);
        Assert.Equal(
            "one\ngone\n", (await docker.DockerAsync("run", "--rm", "--network", "none", docker.Layers, "sh", "-c", "cat /data/f; test ! -e /data/g && echo gone")).Output);
        Assert.Contains("ntagged", await OkAsync("rmi", docker.Layers), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_container_becomes_an_image_that_is_saved_loaded_and_run()
    {
        Skip.IfNot(docker.Missing.Length == 0, docker.Missing);
        string tar = Path.Combine(Path.GetTempPath(), $"saved-{Guid.NewGuid():N}.tar");
        try
        {
            await OkAsync("run", "--name", "made", "--network", "none", docker.Image, "sh", "-c", "echo kept >/made");
            await OkAsync("commit", "made", "made:1");
            await OkAsync("rm", "made");
            await OkAsync("save", "-o", tar, "made:1");
            await OkAsync("rmi", "made:1");
            await OkAsync("load", "-i", tar);
            Assert.Equal("kept\n", (await docker.DockerAsync("run", "--rm", "--network", "none", "made:1", "cat", "/made")).Output);
        }
        finally
        {
            File.Delete(tar);
        }
    }

    private Task<Ran> RunAsync(params string[] command) =>
        docker.DockerAsync(["run", "--rm", "--network", "none", docker.Image, .. command]);

    private async Task<string> OkAsync(params string[] arguments)
    {
        Ran ran = await docker.DockerAsync(arguments);
        Assert.True(ran.Status == 0, $"docker {string.Join(' ', arguments)}: {ran.All}");
        return ran.Output;
    }
}

/// <summary>dockerd keeps the images, our daemon runs the containers.</summary>
public sealed class DockerSpecs(GraphDriverDocker docker) : DockerContract(docker), IClassFixture<GraphDriverDocker>;

/// <summary>Our daemon keeps the images too.</summary>
public sealed class DockerImageStoreSpecs(ImageStoreDocker docker) : DockerContract(docker), IClassFixture<ImageStoreDocker>;
