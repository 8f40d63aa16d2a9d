// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Containerd.Actors.Architecture.Tests;

public sealed partial class SourceSpecs
{
    private const int LinesMax = 500;

    private static IEnumerable<string> Sources => Repository.Files("src", ".cs").Concat(Repository.Files("tests", ".cs"));

    [Fact]
    public void Every_source_names_its_licence_in_the_first_line() => Assert.DoesNotContain(
        Sources, file => Repository.Lines(file).FirstOrDefault() != "// SPDX-License-Identifier: Apache-2.0");

    [Fact]
    public void No_source_is_longer_than_a_reader_can_hold() =>
        Assert.DoesNotContain(Sources, file => Repository.Lines(file).Length > LinesMax);

    [Fact]
    public void Nothing_shipped_is_left_to_be_done() => Assert.Empty(Matches(Repository.Files("src", ".cs", ".proto"), Unfinished()));

    [Fact]
    public void No_test_waits_by_the_clock() => Assert.Empty(
        Matches(Repository.Files("tests", ".cs").Where(file => !file.EndsWith("SourceSpecs.cs", StringComparison.Ordinal)), Waiting()));

    [Fact]
    public void No_test_is_switched_off() => Assert.Empty(Matches(Repository.Files("tests", ".cs"), SwitchedOff()));

    [Fact]
    public void Every_project_says_what_it_is_and_how_to_test_it()
    {
        string[] headings = ["## What it is", "## Where to look", "## How it works", "## What it deliberately does not do", "## How to test"];
        foreach (string folder in Product.Folders)
        {
            string readme = Path.Combine("src", folder, "README.md");
            Assert.True(File.Exists(Path.Combine(Repository.Root, readme)), $"{readme} is missing");
            Assert.Equal(headings, Repository.Lines(readme).Where(line => line.StartsWith("## ", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void Every_link_of_a_document_leads_somewhere()
    {
        IEnumerable<string> documents = Repository.Files("src", ".md").Append("README.md").Append("CHANGELOG.md");
        IEnumerable<string> broken =
            from document in documents
            from line in Repository.Lines(document)
            from Match link in Link().Matches(line)
            let target = link.Groups["target"].Value
            let path = Path.Combine(Repository.Root, Path.GetDirectoryName(document)!, target)
            where !target.Contains("://", StringComparison.Ordinal) && !File.Exists(path) && !Directory.Exists(path)
            select $"{document}: {target}";
        Assert.Empty(broken);
    }

    private static IEnumerable<string> Matches(IEnumerable<string> files, Regex what) =>
        files.SelectMany(file => Repository.Lines(file)
            .Select((line, index) => (line, at: $"{file}:{index + 1}"))
            .Where(found => what.IsMatch(found.line))
            .Select(found => found.at));

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex Unfinished();

    // Task.Delay(Timeout.Infinite, token) is no wait by the clock: it stands for something that hangs until it is let go.
    [GeneratedRegex(@"Thread\.Sleep\(|Task\.Delay\((?!Timeout\.Infinite)")]
    private static partial Regex Waiting();

    [GeneratedRegex(@"\bSkip\s*=\s*""")]
    private static partial Regex SwitchedOff();

    [GeneratedRegex(@"\]\((?<target>[^)#]+)(#[^)]*)?\)")]
    private static partial Regex Link();
}
