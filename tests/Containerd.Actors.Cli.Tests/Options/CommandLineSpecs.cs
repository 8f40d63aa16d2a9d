// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Commands;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Running;
using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Tests.Options;

public sealed class CommandLineSpecs
{
    [Theory]
    [InlineData("run -i alpine sh -c ls", "run -i alpine -- sh -c ls")]
    [InlineData("run --name x alpine -l", "run --name x alpine -- -l")]
    [InlineData("run --name=x -it alpine top -b", "run --name=x -it alpine -- top -b")]
    [InlineData("run -ite A=1 alpine ls -l", "run -ite A=1 alpine -- ls -l")]
    [InlineData("run -m64m alpine ls -l", "run -m64m alpine -- ls -l")]
    [InlineData("-n k8s.io exec -t id ps --json", "-n k8s.io exec -t id -- ps --json")]
    [InlineData("run alpine -- ls -l", "run alpine -- ls -l")]
    [InlineData("run -- alpine ls", "run -- alpine ls")]
    [InlineData("run alpine", "run alpine")]
    [InlineData("kill -s TERM run ls", "kill -s TERM run ls")]
    [InlineData("audit log -f", "audit log -f")]
    public void What_follows_the_first_argument_of_a_process_verb_is_left_alone(string given, string expected)
    {
        string[] separated = TrailingArguments.Separate(CommandTree.Root, given.Split(' '), "run", "exec");

        Assert.Equal(expected, string.Join(' ', separated));
    }

    [Fact]
    public void Run_reads_all_of_its_options()
    {
        RunRequest request = Run(
            "--tty", "-i", "--rm", "-e", "A=1", "-e", "B=2", "--mount", "src=/a,dst=/b", "-v", "/c:/d:ro", "-m", "64m", "--cpus", "0.5",
            "--name", "x", "--runtime", "r", "--runc-binary", "crun", "--snapshotter", "native", "--net-host", "--read-only", "-w", "/w",
            "-u", "1:2", "--privileged", "--entrypoint", "/e", "-l", "k=v", "alpine", "sh", "-c", "echo -e");

        Assert.Equal("alpine", request.Image);
        Assert.Equal(["sh", "-c", "echo -e"], request.Command);
        Assert.True(request is { Terminal: true, Interactive: true, Remove: true, Detached: false });
        Assert.True(request is { HostNetwork: true, ReadOnly: true, Privileged: true });
        Assert.Equal(["A=1", "B=2"], request.Environment);
        Assert.Equal(["/b", "/d"], request.Mounts.Select(mount => mount.Destination));
        Assert.Equal((64L * 1024 * 1024, 50_000L), (request.MemoryBytes, request.CpuQuota));
        Assert.Equal(("x", "r", "crun", "native"), (request.Name, request.Runtime, request.RuncBinary, request.Snapshotter));
        Assert.Equal(("/w", "1:2", "/e"), (request.WorkingDirectory, request.User, request.Entrypoint));
        Assert.Equal([KeyValuePair.Create("k", "v")], request.Labels);
    }

    [Fact]
    public void Run_has_containerds_defaults()
    {
        RunRequest request = Run("alpine");

        Assert.Empty(request.Command);
        Assert.Equal(("io.containerd.runc.v2", "overlayfs", ""), (request.Runtime, request.Snapshotter, request.RuncBinary));
        Assert.Null(request.Entrypoint);
        Assert.Null(request.Name);
    }

    [Theory]
    [InlineData("-t")]
    [InlineData("-i")]
    [InlineData("--rm")]
    public void A_detached_container_refuses_what_needs_the_foreground(string option)
    {
        CliFailure refused = Assert.Throws<CliFailure>(() => Run("-d", option, "alpine"));

        Assert.StartsWith($"cactl: run: {(option == "--rm" ? "--rm" : option)} needs the foreground", refused.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void Exec_keeps_the_options_of_the_process()
    {
        ParseResult parsed = Parse("exec", "-t", "-u", "web", "id", "ls", "-t", "-u");

        ExecRequest request = ExecCommand.Read(parsed);

        Assert.Equal(("id", "web", true, false), (request.Id, request.User, request.Terminal, request.Interactive));
        Assert.Equal(["ls", "-t", "-u"], request.Command);
    }

    [Fact]
    public void Pull_reads_its_options()
    {
        ParseResult parsed = Parse("pull", "--plain-http", "--platform", "linux/arm64", "--user", "me:secret", "localhost:5000/a");

        PullRequest request = PullCommand.Read(parsed, TextWriter.Null);

        Assert.Equal(("localhost:5000/a", true, "linux/arm64"), (request.Reference, request.PlainHttp, request.Platform));
        Assert.Equal(("me", "secret"), (request.Username, request.Secret));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("pull")]
    [InlineData("exec id")]
    [InlineData("stop")]
    [InlineData("frobnicate")]
    [InlineData("ps --frobnicate")]
    [InlineData("run --frobnicate alpine ls")]
    [InlineData("exec -x id ls")]
    [InlineData("rm -x id")]
    [InlineData("images rm -x id")]
    [InlineData("audit")]
    public void A_wrong_command_line_is_refused(string line) => Assert.NotEmpty(Parse(line.Split(' ')).Errors);

    [Theory]
    [InlineData("images")]
    [InlineData("images ls --json")]
    [InlineData("images rm a b")]
    [InlineData("ps -a")]
    [InlineData("logs -f id")]
    [InlineData("stop -t 3 a b")]
    [InlineData("kill -s HUP a")]
    [InlineData("rm -f a b")]
    [InlineData("inspect a")]
    [InlineData("events topic==a")]
    [InlineData("events --since 7")]
    [InlineData("tree")]
    [InlineData("audit log --container x --since 3 --follow --json")]
    [InlineData("audit verify")]
    [InlineData("audit replay --at 2026-01-01T00:00:00Z")]
    [InlineData("--address /x -n y ps")]
    public void A_right_command_line_is_taken(string line) => Assert.Empty(Parse(line.Split(' ')).Errors);

    [Fact]
    public void Verbs_are_offered_to_the_shell() =>
        Assert.Contains("images", CommandTree.Root.Parse("im").GetCompletions().Select(completion => completion.Label));

    private static ParseResult Parse(params string[] arguments) => CommandTree.Parse(arguments);

    private static RunRequest Run(params string[] arguments)
    {
        ParseResult parsed = Parse(["run", .. arguments]);
        Assert.Empty(parsed.Errors);
        return RunCommand.Read(parsed);
    }
}
