// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Xml.Linq;

namespace Containerd.Actors.Integration.Tests;

/// <summary>The comparison with containerd, in little: that it measures everything and leaves nothing.</summary>
public sealed class BenchmarkSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // Everything that it makes lies below its directory for temporary files.
    private readonly string _work = Directory.CreateTempSubdirectory("bs-").FullName;
    private readonly string _output = Directory.CreateTempSubdirectory("bs-out-").FullName;

    private static string Program => Path.Combine(
        AppContext.BaseDirectory.Replace("Containerd.Actors.Integration.Tests", "Containerd.Actors.Benchmarks", StringComparison.Ordinal),
        "Containerd.Actors.Benchmarks.dll");

    public void Dispose()
    {
        Directory.Delete(_work, recursive: true);
        Directory.Delete(_output, recursive: true);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_row_can_be_measured_with_and_without_the_reference_and_nothing_is_left(bool isAlone)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using Process bench = Start(isAlone ? ["--quick", "--alone"] : ["--quick"]);
        Task<string> errors = bench.StandardError.ReadToEndAsync();
        string output = await bench.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await bench.WaitForExitAsync();

        Assert.True(bench.ExitCode == 0, output + await errors);
        string[] figures = [.. File.ReadAllLines(Path.Combine(_output, "comparison.md")).Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1)];
        Assert.All(figures, line => Assert.Matches(isAlone ? @"\| – \| -?[0-9.,]+ \| – \|" : @"\| ([0-9.,-]+|–) \| -?[0-9.,]+ \| ([0-9.]+|–) \|", line));
        foreach (string row in new[] { "ctr run", "cactl run", "at once", "exec", "gzip", "zstd", "RSS", "PSS", "first answer", "get", "list of", "restart", "durable", "recovery", "short containers" })
        {
            Assert.Contains(figures, line => line.Contains(row, StringComparison.Ordinal));
        }

        Assert.Equal("svg", XDocument.Load(Path.Combine(_output, "churn.svg")).Root!.Name.LocalName);
        Assert.Equal(!isAlone, File.Exists(Path.Combine(_output, "comparison.svg")));
        AssertNothingIsLeft();
    }

    [SkippableFact]
    public async Task One_that_is_interrupted_leaves_nothing()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using Process bench = Start(["--only", "start storm", "--rounds", "1000", "--alone"]);
        Task<string> errors = bench.StandardError.ReadToEndAsync();

        // The head of the table: everything is up, and the first row is about to be measured.
        string? line;
        while ((line = await bench.StandardOutput.ReadLineAsync().WaitAsync(Patience)) is not null && !line.StartsWith("|---", StringComparison.Ordinal))
        {
        }

        if (line is null)
        {
            Assert.Fail(await errors);
        }

        string run = Path.GetFileName(Assert.Single(Directory.EnumerateDirectories(_work, "bench-*")));
        await Command.RunAsync("kill", "-TERM", $"{bench.Id}");
        await bench.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await bench.WaitForExitAsync();
        Assert.Equal((130, "bench: interrupted\n"), (bench.ExitCode, await errors));
        AssertNothingIsLeft();
        Assert.Empty(Cgroups(run));
    }

    [SkippableFact]
    public async Task A_row_that_does_not_exist_is_refused_by_name()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Ran ran = await Command.RunAsync("dotnet", Program, "--only", "nonsense");
        Assert.Equal(1, ran.Status);
        Assert.StartsWith("bench: no row is called nonsense; there are run, ", ran.Errors, StringComparison.Ordinal);
    }

    private Process Start(string[] arguments) => Process.Start(new ProcessStartInfo("dotnet", [Program, .. arguments, "--output", _output])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        Environment = { ["TMPDIR"] = _work },
    })!;

    private void AssertNothingIsLeft()
    {
        Assert.Empty(Directory.EnumerateDirectories(_work));
        Assert.DoesNotContain(File.ReadLines("/proc/self/mounts"), line => line.Contains(_work, StringComparison.Ordinal));
        Assert.DoesNotContain(Directory.EnumerateDirectories("/proc").Select(CommandLine), line => line.Contains(_work, StringComparison.Ordinal));
    }

    // Of everything that is called after the benchmark's namespaces.
    private static IEnumerable<string> Cgroups(string run) =>
        Directory.EnumerateDirectories("/sys/fs/cgroup").SelectMany(tree => Directory.EnumerateDirectories(tree, $"{run}*"));

    private static string CommandLine(string process)
    {
        string file = Path.Combine(process, "cmdline");
        try
        {
            return File.Exists(file) ? File.ReadAllText(file) : "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
