// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using Containerd.Actors.Cli.Commands;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Running;
using Containerd.Actors.Oci.Images;
using Containerd.Services.Containers.V1;

namespace Containerd.Actors.Cli.Tests.Running;

public sealed class RunningSpecs
{
    private static readonly ContainerConfig Redis = new()
    {
        Entrypoint = ["/entry"],
        Cmd = ["redis-server"],
        Env = ["PATH=/bin", "A=1"],
        WorkingDir = "/data",
        User = "root",
    };

    [Fact]
    public void A_spec_is_the_image_with_the_request_over_it()
    {
        var request = new RunRequest("redis", []) { Environment = ["A=2"], MemoryBytes = 1024, CpuQuota = 50_000, ReadOnly = true };

        using JsonDocument spec = Compose(request);

        JsonElement process = spec.RootElement.GetProperty("process");
        Assert.Equal(["/entry", "redis-server"], Texts(process.GetProperty("args")));
        Assert.Contains("A=2", Texts(process.GetProperty("env")));
        Assert.Equal("/data", process.GetProperty("cwd").GetString());
        Assert.True(spec.RootElement.GetProperty("root").GetProperty("readonly").GetBoolean());
        JsonElement resources = spec.RootElement.GetProperty("linux").GetProperty("resources");
        Assert.Equal(1024, resources.GetProperty("memory").GetProperty("limit").GetInt64());
        Assert.Equal(50_000, resources.GetProperty("cpu").GetProperty("quota").GetInt64());
    }

    [Fact]
    public void Another_entry_point_drops_the_images_arguments()
    {
        using JsonDocument spec = Compose(new RunRequest("redis", []) { Entrypoint = "/bin/sh" });
        using JsonDocument bare = Compose(new RunRequest("redis", ["ls"]) { Entrypoint = "" });

        Assert.Equal(["/bin/sh"], Texts(spec.RootElement.GetProperty("process").GetProperty("args")));
        Assert.Equal(["ls"], Texts(bare.RootElement.GetProperty("process").GetProperty("args")));
    }

    [Fact]
    public void An_image_without_a_command_needs_one()
    {
        var composer = new SpecComposer("default", "x", new RunRequest("scratch", []), new ContainerConfig());

        CliFailure refused = Assert.Throws<CliFailure>(() => composer.Compose([]));

        Assert.Equal(ExitCodes.NoProcess, refused.ExitCode);
    }

    [Fact]
    public void Mounts_come_behind_the_default_ones()
    {
        using JsonDocument spec = Compose(new RunRequest("redis", []) { Mounts = [BindMount.ParseVolume("/a:/b:ro")] });

        JsonElement last = spec.RootElement.GetProperty("mounts").EnumerateArray().Last();
        Assert.Equal("/b", last.GetProperty("destination").GetString());
        Assert.Equal(["rbind", "ro"], Texts(last.GetProperty("options")));
    }

    [Fact]
    public void An_exec_is_as_its_container_where_nothing_else_is_asked_for()
    {
        const string Spec = """
            {"process":{"args":["x"],"env":["A=1","B=2"],"cwd":"/c","user":{"uid":5,"gid":6},"apparmorProfile":"p","terminal":true}}
            """;
        var request = new ExecRequest("id", ["ls", "-l"]) { Environment = ["B=3", "C=4"] };

        using JsonDocument process = JsonDocument.Parse(ExecProcess.Compose(Encoding.UTF8.GetBytes(Spec), request, null));

        Assert.Equal(["ls", "-l"], Texts(process.RootElement.GetProperty("args")));
        Assert.Equal(["A=1", "B=3", "C=4"], Texts(process.RootElement.GetProperty("env")));
        Assert.Equal("/c", process.RootElement.GetProperty("cwd").GetString());
        Assert.Equal("p", process.RootElement.GetProperty("apparmorProfile").GetString());
        Assert.Equal(5, process.RootElement.GetProperty("user").GetProperty("uid").GetInt32());
        Assert.False(process.RootElement.GetProperty("terminal").GetBoolean());
    }

    [Fact]
    public void An_exec_takes_another_user_by_number()
    {
        var request = new ExecRequest("id", ["ls"]) { User = "7:8", WorkingDirectory = "/w", Terminal = true };

        using JsonDocument process = JsonDocument.Parse(ExecProcess.Compose("""{"process":{}}"""u8, request, null));

        Assert.Equal(8, process.RootElement.GetProperty("user").GetProperty("gid").GetInt32());
        Assert.Equal("/w", process.RootElement.GetProperty("cwd").GetString());
        Assert.Contains("TERM=xterm", Texts(process.RootElement.GetProperty("env")));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("not json")]
    public void A_container_without_a_process_is_refused(string spec) => Assert.Throws<CliFailure>(
        () => ExecProcess.Compose(Encoding.UTF8.GetBytes(spec), new ExecRequest("id", ["ls"]), null));

    [Theory]
    [InlineData("SIGINT", 2u)]
    [InlineData("9", 9u)]
    [InlineData("nonsense", 15u)]
    [InlineData(null, 15u)]
    public void Stop_uses_the_signal_of_the_image(string? label, uint signal)
    {
        var container = new Container();
        if (label is not null)
        {
            container.Labels[InheritedLabels.StopSignal] = label;
        }

        Assert.Equal(signal, StopCommand.SignalOf(container));
    }

    [Fact]
    public async Task A_copy_ends_with_its_source()
    {
        using var target = new MemoryStream();
        using var source = new MemoryStream([1, 2, 3]);

        StreamCopy copy = StreamCopy.Start(source, target);
        await copy.DrainAsync(TimeProvider.System);

        Assert.True(copy.Finished.IsCompletedSuccessfully);
        Assert.Equal([1, 2, 3], target.ToArray());
    }

    private static JsonDocument Compose(RunRequest request) =>
        JsonDocument.Parse(new SpecComposer("default", "x", request, Redis).Compose([]));

    private static IEnumerable<string?> Texts(JsonElement array) => array.EnumerateArray().Select(text => text.GetString());
}
