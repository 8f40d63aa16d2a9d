// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Daemon.Hosting;

namespace Containerd.Actors.Architecture.Tests.Compatibility;

/// <summary>Holds the tables of the documents to what the daemon maps. CONTAINERD_ACTORS_WRITE_TABLES=1 writes them anew.</summary>
public sealed class CompatibilitySpecs
{
    private static readonly HashSet<string> Served = ServedRpcs.Find();

    [Fact]
    public void The_table_of_the_face_says_of_every_rpc_whether_it_is_served() =>
        Check(Path.Combine("src", "Containerd.Actors.Grpc", "README.md"), CompatibilityTable.Whole(Served));

    [Fact]
    public void The_summary_of_the_product_says_it_of_every_service() => Check("README.md", CompatibilityTable.Summary(Served));

    [Fact]
    public void What_is_served_is_in_a_proto()
    {
        HashSet<string> known = [.. ServedRpcs.Services().SelectMany(service => service.Methods).Select(rpc => $"{rpc.Service.FullName}/{rpc.Name}")];
        Assert.Empty(Served.Except(known));
        Assert.Contains("containerd.services.images.v1.Images/List", Served);
        Assert.Contains("containerd.services.events.ttrpc.v1.Events/Forward", Served);
    }

    [Fact]
    public void A_service_is_bound_under_its_own_name_with_all_its_methods()
    {
        Dictionary<string, string[]> described = ServedRpcs.Services().ToDictionary(
            service => service.FullName, service => service.Methods.Select(rpc => $"/{service.FullName}/{rpc.Name}").Order(StringComparer.Ordinal).ToArray());
        Assert.All(ServiceRoutes.Names, name => Assert.Equal(described[name], ServedRpcs.Routes.Of(name).Keys.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void What_differs_is_served()
    {
        IEnumerable<string> services = Served.Select(rpc => rpc.Split('/')[0]);
        Assert.Empty(Differences.Known.Keys.Except(Served.Concat(services)));
    }

    private static void Check(string document, string table)
    {
        string path = Path.Combine(Repository.Root, document);
        string text = File.ReadAllText(path);
        const string Begin = "<!-- rpcs: written by CompatibilitySpecs -->\n";
        const string End = "<!-- /rpcs -->";
        int start = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        int end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(start >= Begin.Length && end >= start, $"{document} has no place for the table");
        if (Environment.GetEnvironmentVariable("CONTAINERD_ACTORS_WRITE_TABLES") == "1")
        {
            text = text[..start] + table + text[end..];
            File.WriteAllText(path, text);
            end = text.IndexOf(End, StringComparison.Ordinal);
        }

        Assert.True(
            table == text[start..end],
            $"{document} is stale: CONTAINERD_ACTORS_WRITE_TABLES=1 dotnet test tests/Containerd.Actors.Architecture.Tests writes it anew");
    }
}
