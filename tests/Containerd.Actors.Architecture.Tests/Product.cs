// SPDX-License-Identifier: Apache-2.0

using System.Reflection;
using System.Xml.Linq;

namespace Containerd.Actors.Architecture.Tests;

/// <summary>The projects under src and what each was compiled to.</summary>
internal static class Product
{
    private const string Prefix = "Containerd.Actors.";

    /// <summary>Which project names which directly. What those name comes along.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Oci"] = [],
        ["Api"] = [],
        ["Protocol"] = ["Oci"],
        ["Core"] = ["Protocol"],
        ["Linux"] = ["Core"],
        ["Ttrpc"] = ["Api"],
        ["Storage"] = ["Core", "Linux"],
        ["Registry"] = ["Core"],
        ["Persistence"] = ["Core"],
        ["Shims"] = ["Core", "Linux", "Ttrpc", "Api"],
        ["Shim"] = ["Core", "Linux", "Ttrpc", "Api"],
        ["Supervision"] = ["Storage", "Registry", "Persistence", "Shims"],
        ["Grpc"] = ["Protocol", "Core", "Api", "Ttrpc"],
        ["Client"] = ["Api"],
        ["Cli"] = ["Client", "Oci"],
        ["Daemon"] = ["Supervision", "Grpc", "Client"],
    };

    /// <summary>Short names of the projects: <c>Core</c> for Containerd.Actors.Core.</summary>
    public static IEnumerable<string> Projects => Arrows.Keys;

    public static IEnumerable<string> Folders => Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src"))
        .Where(folder => Directory.EnumerateFiles(folder, "*.csproj").Any())
        .Select(folder => Path.GetFileName(folder)!);

    public static Assembly Compiled(string project) => Assembly.LoadFrom(FileOf(project));

    public static string FileOf(string project) => Path.Combine(AppContext.BaseDirectory, project switch
    {
        "Daemon" => "containerd-actors",
        "Cli" => "cactl",
        "Shim" => "containerd-shim-actors-v1",
        _ => Prefix + project,
    } + ".dll");

    /// <summary>Names of everything that a project was compiled against and uses.</summary>
    public static IEnumerable<string> References(string project) =>
        Compiled(project).GetReferencedAssemblies().Select(reference => reference.Name!);

    /// <summary>The product's own projects among the references, by short name.</summary>
    public static IEnumerable<string> OwnReferences(string project) =>
        References(project).Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..]);

    /// <summary>The product's own projects that a project file names, by short name.</summary>
    public static IEnumerable<string> DeclaredReferences(string project) =>
        Declared(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path)[Prefix.Length..]);

    /// <summary>Packages that a project file names.</summary>
    public static IEnumerable<string> DeclaredPackages(string project) => Declared(project, "PackageReference");

    /// <summary>Everything that the arrows lead to from a project.</summary>
    public static HashSet<string> Reach(string project)
    {
        HashSet<string> reach = [];
        Queue<string> next = new(Arrows[project]);
        while (next.TryDequeue(out string? name))
        {
            if (reach.Add(name))
            {
                Array.ForEach(Arrows[name], next.Enqueue);
            }
        }

        return reach;
    }

    private static IEnumerable<string> Declared(string project, string kind) =>
        XDocument.Load(Path.Combine(Repository.Root, "src", Prefix + project, $"{Prefix}{project}.csproj"))
            .Descendants(kind)
            .Select(reference => reference.Attribute("Include")!.Value);
}
