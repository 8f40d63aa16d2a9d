// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;

namespace Containerd.Actors.Cli.Tests.Options;

public sealed class HelpSpecs
{
    private static readonly string[] Verbs =
    [
        "", "pull", "push", "images", "tag", "import", "export", "convert", "commit", "run", "ps", "exec", "logs", "stop", "kill", "rm",
        "inspect", "events", "tree", "gc", "why", "audit", "audit log",
        "audit verify", "audit replay", "config", "config import",
    ];

    [Fact]
    public void The_help_is_the_golden_one()
    {
        string golden = Path.Combine(ProjectDirectory(), "Golden", "help.txt");
        string actual = string.Join('\n', Verbs.Select(Help)).ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("ACCEPT_GOLDEN") == "1")
        {
            File.WriteAllText(golden, actual);
        }

        Assert.Equal(File.ReadAllText(golden), actual);
    }

    private static string Help(string verb)
    {
        using var output = new StringWriter();
        string[] arguments = [.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"];
        int code = CommandTree.Root.Parse(arguments).Invoke(new InvocationConfiguration { Output = output });

        // The name of the running program stands in the usage line: in a test it is the test host's.
        string text = output.ToString().Replace(RootCommand.ExecutableName, "cactl", StringComparison.Ordinal);
        Assert.Equal(0, code);
        return $"$ cactl {string.Join(' ', arguments)}\n{string.Join('\n', text.Split('\n').Select(line => line.TrimEnd())).TrimEnd()}\n";
    }

    // Found from where the tests run: a deterministic build tells no source paths.
    private static string ProjectDirectory()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Containerd.Actors.Cli.Tests.csproj")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("the project of the tests is in no folder above them");
    }
}
