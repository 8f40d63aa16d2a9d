// SPDX-License-Identifier: Apache-2.0

using System.Xml.Linq;

namespace Containerd.Actors.Architecture.Tests;

/// <summary>The arrows between projects: what a project may reference is what is drawn, and nothing else.</summary>
public sealed class DependencySpecs
{
    private static readonly string[] Everything = ["*"];

    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Api"] = [],
        ["Oci"] = [],
        ["Protocol"] = ["Oci"],
        ["Core"] = ["Protocol"],
        ["Linux"] = ["Core"],
        ["Ttrpc"] = ["Api"],
        ["Storage"] = ["Core", "Linux"],
        ["Registry"] = ["Core"],
        ["Persistence"] = ["Core"],
        ["Shims"] = ["Core", "Linux", "Ttrpc", "Api"],
        ["Supervision"] = ["Core", "Protocol", "Persistence", "Storage", "Registry", "Shims", "Linux", "Ttrpc", "Api"],
        ["Grpc"] = ["Protocol", "Core", "Api", "Ttrpc"],
        ["Client"] = ["Api"],
        ["Cli"] = ["Client", "Oci"],
        ["Daemon"] = Everything,
    };

    // Where Akka may be: below these nothing knows of actors.
    private static readonly string[] WithAkka = ["Persistence", "Supervision", "Grpc", "Daemon"];

    public static TheoryData<string> Projects { get; } = [.. Directory.EnumerateDirectories(Path.Combine(Repository.Top, "src")).Select(NameOf).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_design_lets_it(string project)
    {
        string[] allowed = Allowed[project];
        if (!ReferenceEquals(allowed, Everything))
        {
            Assert.Empty(References(project, "ProjectReference").Select(path => NameOf(Path.GetFileNameWithoutExtension(path))).Except(allowed));
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Actors_are_known_only_from_persistence_and_supervision_up(string project)
    {
        bool uses = References(project, "PackageReference").Any(package => package == "Akka" || package.StartsWith("Akka.", StringComparison.Ordinal));
        Assert.True(!uses || WithAkka.Contains(project), $"{project} references Akka");
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_project_says_what_it_is(string project)
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Top, "src", $"Containerd.Actors.{project}", "README.md"));
        Assert.Contains("## What it is", readme, StringComparison.Ordinal);
        Assert.Contains("## How to test", readme, StringComparison.Ordinal);
    }

    [Fact]
    public void The_domain_reads_no_clock_and_touches_no_file()
    {
        string[] banned = ["DateTime.Now", "DateTime.UtcNow", "DateTimeOffset.Now", "DateTimeOffset.UtcNow", "File.", "Directory.", "Process.Start", "new Socket"];
        IEnumerable<string> offenders =
            from file in Repository.Sources("src/Containerd.Actors.Core")
            from line in File.ReadLines(file)
            from word in banned
            where !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && line.Contains(word, StringComparison.Ordinal)
            select $"{file}: {line.Trim()}";
        Assert.Empty(offenders);
    }

    private static string NameOf(string path) => Path.GetFileName(path).Replace("Containerd.Actors.", "", StringComparison.Ordinal);

    private static IEnumerable<string> References(string project, string kind) =>
        XDocument.Load(Path.Combine(Repository.Top, "src", $"Containerd.Actors.{project}", $"Containerd.Actors.{project}.csproj"))
            .Descendants(kind)
            .Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/'));
}
