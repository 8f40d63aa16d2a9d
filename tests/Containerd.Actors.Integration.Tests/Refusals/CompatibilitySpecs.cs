// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests.Refusals;

/// <summary>Holds the published daemon to the compatibility table: what it says is served answers, and what it says is not does not.</summary>
public sealed partial class CompatibilitySpecs(Face face) : IClassFixture<Face>
{
    [SkippableFact]
    public async Task Every_rpc_of_the_table_is_served_or_not_as_it_says()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Skip.If(Face.IsForeign, "the table is this daemon's");
        List<(string Rpc, bool Served)> table = [.. Table()];
        Assert.True(table.Count > 100, $"only {table.Count} rows were read");
        List<string> wrong = [];
        foreach ((string rpc, bool served) in table)
        {
            Status status = await face.EndAsync(rpc);
            if ((status.StatusCode == StatusCode.Unimplemented && Refusals(rpc).Contains(status.Detail)) == served)
            {
                wrong.Add($"{rpc}: {status}");
            }
        }

        Assert.Empty(wrong);
    }

    // A service that there is not, a method that there is not, and a method that nobody wrote.
    private static string[] Refusals(string rpc) =>
        rpc.Split('/') is [string service, string method] ? [$"unknown service {service}", $"unknown method {method} for service {service}", ""] : [];

    private static IEnumerable<(string Rpc, bool Served)> Table()
    {
        string service = "";
        foreach (string line in File.ReadLines(Path.Combine(Repository.Top, "src", "Containerd.Actors.Grpc", "README.md")))
        {
            if (Row().Match(line) is { Success: true } row)
            {
                service = row.Groups["service"].Length > 0 ? row.Groups["service"].Value : service;
                foreach (string rpc in row.Groups["rpcs"].Value.Split(", "))
                {
                    // The ttrpc twin is another socket.
                    if (!service.Contains(".ttrpc.", StringComparison.Ordinal))
                    {
                        yield return ($"{service}/{rpc}", row.Groups["state"].Value != "not served");
                    }
                }
            }
        }
    }

    [GeneratedRegex(@"^\| (`(?<service>[\w.]+)`)? ?\| (?<rpcs>[A-Z]\w+(, \w+)*) \| (?<state>(served|differs|not served).*) \|$")]
    private static partial Regex Row();
}
