// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;

namespace Containerd.Actors.Linux.Tests.Processes;

public class ChildProcessSpecs
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Input_goes_in_and_both_outputs_come_out()
    {
        var result = await ChildProcess.RunAsync(Shell("cat; echo wrong >&2; exit 3"), "hello"u8.ToArray(), Soon);
        Assert.Equal(new ProcessExit(3, 0), result.Exit);
        Assert.Equal(("hello", "wrong\n"), (Encoding.UTF8.GetString(result.Output), Encoding.UTF8.GetString(result.ErrorOutput)));
    }

    [Fact]
    public async Task Directory_and_environment_are_what_was_asked()
    {
        var result = await ChildProcess.RunAsync(Shell("pwd; env") with { WorkingDirectory = "/usr", Environment = ["A=b c"] }, default, Soon);
        var lines = Encoding.UTF8.GetString(result.Output).Split('\n');
        Assert.Equal("/usr", lines[0]);
        Assert.Contains("A=b c", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("HOME=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Joined_outputs_keep_their_order()
    {
        var result = await ChildProcess.RunAsync(Shell("echo 1; echo 2 >&2; echo 3") with { StandardError = SpawnStream.SameAsOutput }, default, Soon);
        Assert.Equal("1\n2\n3\n", Encoding.UTF8.GetString(result.Output));
    }

    // proc_pid_stat(5): number, name, state, parent, group, session.
    [Fact]
    public async Task A_session_leader_leads_its_group_too()
    {
        var result = await ChildProcess.RunAsync(Shell("cat /proc/$$/stat") with { IsSessionLeader = true }, default, Soon);
        var stat = Encoding.UTF8.GetString(result.Output).Split(' ');
        Assert.Equal((stat[0], stat[0]), (stat[4], stat[5]));
    }

    [Fact]
    public async Task A_process_past_its_time_is_killed()
    {
        var result = await ChildProcess.RunAsync(Shell("exec sleep 1000"), default, TimeSpan.FromMilliseconds(50));
        Assert.True(result.IsTimedOut);
        Assert.Equal(137, result.Exit.Status);
    }

    [Fact]
    public async Task Output_is_kept_up_to_its_bound()
    {
        var result = await ChildProcess.RunAsync(Shell("yes | head -c 1000000"), default, Soon, outputMax: 100);
        Assert.Equal(100, result.Output.Length);
        Assert.True(result.Exit.IsSuccess);
    }

    [Fact]
    public async Task Only_the_descriptors_given_are_inherited_and_signals_are_the_default()
    {
        using var file = File.OpenHandle("/dev/zero");
        var result = await ChildProcess.RunAsync(
            Shell("echo /proc/self/fd/*; readlink /proc/self/fd/5; grep SigIgn /proc/self/status") with
            {
                Descriptors = [new InheritedDescriptor(5, file)],
            },
            default,
            Soon);
        var lines = Encoding.UTF8.GetString(result.Output).Split('\n');
        Assert.DoesNotContain("/proc/self/fd/6", lines[0], StringComparison.Ordinal);
        Assert.Equal("/dev/zero", lines[1]);

        // Signals 32 and 33 are the C library's own, which it ignores in what it spawns.
        Assert.Contains(lines[2].Split('\t')[1], new[] { "0000000000000000", "0000000180000000" });
    }

    [Fact]
    public void A_missing_executable_is_an_error_with_its_path()
    {
        var failure = Assert.Throws<LinuxException>(() => ChildProcess.Spawn(new SpawnRequest { Path = "/no/such", Arguments = ["x"] }));
        Assert.Equal(("ENOENT", "/no/such"), (failure.Error.Name, failure.Error.Path));
    }

    [Fact]
    public async Task Nothing_is_left_of_many_children()
    {
        await ChildProcess.RunAsync(Shell("exit 0"), default, Soon);
        var pids = new List<int>();
        for (var i = 0; i < 50; i++)
        {
            using var child = ChildProcess.Spawn(Shell("exit 1") with { StandardOutput = SpawnStream.Pipe, StandardInput = SpawnStream.Pipe });
            pids.Add(child.Pid);
            Assert.Equal(1, (await child.Exited.WaitAsync(Soon)).Status);
        }

        Assert.DoesNotContain(pids, pid => Directory.Exists($"/proc/{pid}"));
        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(fd => new FileInfo(fd).LinkTarget ?? ""),
            target => target.Contains("[pidfd]", StringComparison.Ordinal));
    }

    private static SpawnRequest Shell(string script) => new()
    {
        Path = "/bin/sh",
        Arguments = ["sh", "-c", script],
        Environment = ["PATH=/usr/bin:/bin"],
    };
}
