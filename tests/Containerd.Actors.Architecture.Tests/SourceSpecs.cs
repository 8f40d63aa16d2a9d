// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Daemon.Configuration;

namespace Containerd.Actors.Architecture.Tests;

/// <summary>Rules of the house that a machine can hold.</summary>
public sealed class SourceSpecs
{
    [Fact]
    public void Every_file_names_its_licence_and_stays_short()
    {
        foreach (string file in Repository.Sources("src").Concat(Repository.Sources("tests")))
        {
            string[] lines = File.ReadAllLines(file);
            Assert.True(lines[0] == "// SPDX-License-Identifier: Apache-2.0", $"{file}: no licence line");
            Assert.True(lines.Length <= 500, $"{file}: {lines.Length} lines");
        }
    }

    [Fact]
    public void Every_key_has_a_comment_above_it()
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Repository.Top, "hocon", "reference"), "*.conf"))
        {
            string[] lines = [.. File.ReadLines(file).Select(line => line.Trim())];
            for (int i = 0; i < lines.Length; i++)
            {
                bool isKey = lines[i].Contains(" = ", StringComparison.Ordinal) && !lines[i].StartsWith('#');
                if (isKey)
                {
                    // Neighbours may share a comment; a blank line ends its reach.
                    int above = i - 1;
                    while (above >= 0 && lines[above].Contains(" = ", StringComparison.Ordinal) && !lines[above].StartsWith('#'))
                    {
                        above--;
                    }

                    Assert.True(above >= 0 && lines[above].StartsWith('#') || above >= 0 && lines[above].EndsWith('{') && above > 0 && lines[above - 1].StartsWith('#'), $"{file}: {lines[i]}");
                }
            }
        }
    }

    [Fact]
    public void Unknown_keys_are_found_by_name_and_known_ones_pass()
    {
        Akka.Configuration.Config reference = Hocon.Reference();
        Assert.Empty(Hocon.UnknownKeys(Akka.Configuration.ConfigurationFactory.ParseString("containerd.grpc.ask-timeout = 5s"), reference));
        Assert.Equal(
            ["containerd.grpc.ask-timeuot"],
            Hocon.UnknownKeys(Akka.Configuration.ConfigurationFactory.ParseString("containerd.grpc.ask-timeuot = 5s"), reference));
    }
}
