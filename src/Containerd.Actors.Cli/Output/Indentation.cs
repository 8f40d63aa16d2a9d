// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Output;

/// <summary>A node of a tree that is printed with branches.</summary>
/// <param name="Path">Its path, names between slashes.</param>
/// <param name="Remark">Printed behind the name; may be empty.</param>
internal sealed record Branch(string Path, string Remark);

/// <summary>Prints paths as an indented tree.</summary>
internal static class Indentation
{
    /// <summary>One line per node, in the order given among siblings. A node whose parent is missing stands at the top.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<Branch> branches)
    {
        var known = branches.Select(branch => branch.Path).ToHashSet(StringComparer.Ordinal);
        ILookup<string, Branch> children = branches.ToLookup(branch => ParentAmong(known, branch.Path), StringComparer.Ordinal);
        return children[""].SelectMany(root => Subtree(root, root.Path, "", "", children));
    }

    private static IEnumerable<string> Subtree(
        Branch branch, string name, string lead, string below, ILookup<string, Branch> children)
    {
        yield return branch.Remark.Length == 0 ? lead + name : $"{lead}{name}  {branch.Remark}";
        Branch[] inner = [.. children[branch.Path]];
        for (int i = 0; i < inner.Length; i++)
        {
            bool last = i == inner.Length - 1;
            string childName = inner[i].Path[(branch.Path.Length + 1)..];
            foreach (string line in Subtree(
                inner[i], childName, below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "), children))
            {
                yield return line;
            }
        }
    }

    private static string ParentAmong(HashSet<string> known, string path)
    {
        for (int slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
        {
            if (known.Contains(path[..slash]))
            {
                return path[..slash];
            }
        }

        return "";
    }
}
