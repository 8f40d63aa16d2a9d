// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Google.Protobuf.Reflection;

namespace Containerd.Actors.Architecture.Tests.Compatibility;

/// <summary>The tables of the documents: every RPC, and a line for each service.</summary>
internal static class CompatibilityTable
{
    /// <summary>Each service with the RPCs that are the same, those that differ, and those that are not served.</summary>
    public static string Whole(HashSet<string> served)
    {
        StringBuilder table = new("| Service | RPCs | State |\n|---|---|---|\n");
        foreach (ServiceDescriptor service in ServedRpcs.Services())
        {
            string whole = Differences.Known.GetValueOrDefault(service.FullName) is { } difference ? $"served; {difference}" : "served";
            List<(string Rpcs, string State)> rows =
            [
                (Names(service, rpc => served.Contains(rpc) && !Differences.Known.ContainsKey(rpc)), whole),
                .. service.Methods.Select(Full).Where(Differences.Known.ContainsKey)
                    .Select(rpc => (rpc[(rpc.IndexOf('/', StringComparison.Ordinal) + 1)..], $"differs: {Differences.Known[rpc]}")),
                (Names(service, rpc => !served.Contains(rpc)), "not served"),
            ];
            string name = $"`{service.FullName}`";
            foreach ((string rpcs, string state) in rows.Where(row => row.Rpcs.Length > 0))
            {
                table.Append("| ").Append(name).Append(" | ").Append(rpcs).Append(" | ").Append(state).Append(" |\n");
                name = "";
            }
        }

        return table.ToString();
    }

    /// <summary>A line for each service.</summary>
    public static string Summary(HashSet<string> served)
    {
        StringBuilder table = new("| Service | RPCs | Served | Differs |\n|---|---|---|---|\n");
        foreach (ServiceDescriptor service in ServedRpcs.Services())
        {
            int count = service.Methods.Count(rpc => served.Contains(Full(rpc)));
            string[] differing =
            [
                .. Differences.Known.ContainsKey(service.FullName) ? ["the whole"] : Array.Empty<string>(),
                .. service.Methods.Where(rpc => Differences.Known.ContainsKey(Full(rpc))).Select(rpc => rpc.Name),
            ];
            string state = count == service.Methods.Count ? "all" : count == 0 ? "none" : $"{count}, not {Names(service, rpc => !served.Contains(rpc))}";
            table.Append("| `").Append(service.FullName).Append("` | ").Append(service.Methods.Count).Append(" | ").Append(state).Append(" | ")
                .AppendJoin(", ", differing).Append(" |\n");
        }

        return table.ToString();
    }

    private static string Names(ServiceDescriptor service, Func<string, bool> which) =>
        string.Join(", ", service.Methods.Where(rpc => which(Full(rpc))).Select(rpc => rpc.Name));

    private static string Full(MethodDescriptor rpc) => $"{rpc.Service.FullName}/{rpc.Name}";
}
