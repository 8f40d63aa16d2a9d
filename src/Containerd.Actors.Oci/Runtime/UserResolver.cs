// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Oci.Runtime;

/// <summary>Turns <c>user[:group]</c>, by name or number, into numbers with the files of an image.</summary>
/// <remarks>passwd(5), group(5). The image is not trusted: links are followed inside of it only, and files have a limit.</remarks>
public static class UserResolver
{
    private const long FileBytesMax = 4 * 1024 * 1024;
    private const int LinksMax = 40;

    /// <summary>True when the image's files say who is meant: root is 0 in every image, and a number is worth no look at its groups.</summary>
    public static bool HasNames(string user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return user != "root" && user.Split(':').Any(part => part.Length > 0 && !part.All(char.IsAsciiDigit));
    }

    /// <summary>Who is meant.</summary>
    /// <param name="user">Empty for root.</param>
    /// <param name="rootFsDirectory">Where the image's files are; null when only numbers can be understood.</param>
    /// <exception cref="FormatException">The image knows no such user or group.</exception>
    public static UserSpec Resolve(string user, string? rootFsDirectory)
    {
        ArgumentNullException.ThrowIfNull(user);
        string[] parts = user.Split(':');
        if (parts.Length > 2)
        {
            throw new FormatException($"invalid USER value {user}");
        }

        string[][] users = Rows(rootFsDirectory, "etc/passwd", 4);
        string name = parts[0].Length == 0 ? "0" : parts[0];
        bool isNumber = TryNumber(name, out uint uid);
        string[]? row = Array.Find(users, row => isNumber ? TryNumber(row[2], out uint id) && id == uid : row[0] == name);
        if (!isNumber && (row is null || !TryNumber(row[2], out uid)))
        {
            throw new FormatException($"unable to find user {name}: no users found");
        }

        string[][] groups = Rows(rootFsDirectory, "etc/group", 3);
        if (parts.Length == 2 && parts[1].Length > 0)
        {
            return new UserSpec(uid, Group(parts[1], groups));
        }

        uint gid = row is not null && TryNumber(row[3], out uint primary) ? primary : 0;
        uint[] more = row is null ? [] : [.. groups
            .Where(group => group.Length > 3 && group[3].Split(',').Contains(row[0], StringComparer.Ordinal))
            .Select(group => TryNumber(group[2], out uint id) ? id : gid)];
        return new UserSpec(uid, gid) { AdditionalGids = more.Length == 0 ? null : [.. more.Append(gid).Distinct().Order()] };
    }

    private static uint Group(string name, string[][] groups)
    {
        if (TryNumber(name, out uint gid))
        {
            return gid;
        }

        string[]? row = Array.Find(groups, row => row[0] == name);
        return row is not null && TryNumber(row[2], out gid)
            ? gid
            : throw new FormatException($"unable to find group {name}: no groups found");
    }

    private static bool TryNumber(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static string[][] Rows(string? root, string path, int fields)
    {
        if (root is null || InRoot(root, path) is not { } file)
        {
            return [];
        }

        // Pipes and devices report no length: they are never opened.
        return new FileInfo(file) is { Exists: true, Length: > 0 and <= FileBytesMax }
            ? [.. File.ReadLines(file).Select(line => line.Split(':')).Where(row => row.Length >= fields)]
            : [];
    }

    // Walks the path as if the directory were the root: "/" and ".." stay inside, as they would for the container.
    private static string? InRoot(string root, string path)
    {
        var rest = new Stack<string>(path.Split('/').Reverse());
        var walked = new List<string>();
        for (int links = 0; rest.Count > 0;)
        {
            string part = rest.Pop();
            if (part is "" or ".")
            {
                continue;
            }

            if (part == "..")
            {
                walked.RemoveRange(Math.Max(0, walked.Count - 1), Math.Min(1, walked.Count));
                continue;
            }

            string here = Path.Combine([root, .. walked, part]);
            if (new FileInfo(here).LinkTarget is not { } target)
            {
                walked.Add(part);
                continue;
            }

            if (++links > LinksMax)
            {
                return null;
            }

            if (target.StartsWith('/'))
            {
                walked.Clear();
            }

            foreach (string piece in target.Split('/').Reverse())
            {
                rest.Push(piece);
            }
        }

        return Path.Combine([root, .. walked]);
    }
}
