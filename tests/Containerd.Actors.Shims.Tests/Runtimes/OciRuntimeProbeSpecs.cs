// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using Containerd.Actors.Core.Runtimes;
using Containerd.Actors.Shims.Runtimes;

namespace Containerd.Actors.Shims.Tests.Runtimes;

public sealed class OciRuntimeProbeSpecs
{
    [SkippableFact]
    public async Task What_is_not_installed_or_fails_is_passed_over_with_its_reason_and_what_runs_a_container_is_taken()
    {
        Skip.IfNot(ShimHarness.WhyNot("runc") is null, ShimHarness.WhyNot("runc") ?? "");
        string directory = Directory.CreateTempSubdirectory("probe-").FullName;
        try
        {
            OciRuntimeChoice choice = await Probe(directory).ChooseAsync(["/no/such/runtime", "/bin/false", "runc"]);
            Assert.Equal("runc", choice.Chosen);
            Assert.Equal(["/no/such/runtime", "/bin/false"], choice.Rejected.Select(each => each.Candidate));
            Assert.Equal("not installed", choice.Rejected[0].Reason);
            Assert.Empty(Directory.EnumerateFileSystemEntries(directory));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Where_none_works_the_reasons_are_told()
    {
        string directory = Directory.CreateTempSubdirectory("probe-").FullName;
        try
        {
            OciRuntimeChoice choice = await Probe(directory).ChooseAsync(["none-such", "/bin/false"]);
            Assert.Equal(("", 2), (choice.Chosen, choice.Rejected.Length));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static OciRuntimeProbe Probe(string directory) => new(
        directory,
        [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}")],
        Environment.GetEnvironmentVariable("PATH") ?? "",
        TimeSpan.FromSeconds(30));
}
