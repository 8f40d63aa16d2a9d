// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Options;

/// <summary>A mount asked for on the command line.</summary>
/// <param name="Type">Kind of file system; <c>bind</c> for a path of the host.</param>
/// <param name="Source">What is mounted.</param>
/// <param name="Destination">Absolute path in the container.</param>
/// <param name="Options">Mount options in the order given.</param>
internal sealed record BindMount(string Type, string Source, string Destination, IReadOnlyList<string> Options)
{
    private static readonly string[] VolumeOptions = ["rw", "ro", "rbind", "bind", "rshared", "rslave", "rprivate"];

    /// <summary>Reads <c>type=bind,src=PATH,dst=PATH,options=rbind:ro</c>; type defaults to bind, options to rbind and rw.</summary>
    /// <exception cref="FormatException">A key is unknown, a needed one missing, or a path relative.</exception>
    public static BindMount ParseMount(string text)
    {
        string type = "bind", source = "", destination = "";
        var options = new List<string>();
        foreach (string part in text.Split(','))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? part : part[..equals];
            string value = equals < 0 ? "" : part[(equals + 1)..];
            switch (key)
            {
                case "type": type = value; break;
                case "src" or "source": source = value; break;
                case "dst" or "destination" or "target": destination = value; break;
                case "options" or "opt": options.AddRange(value.Split(':', StringSplitOptions.RemoveEmptyEntries)); break;
                case "ro" or "readonly" when equals < 0: options.Add("ro"); break;
                default: throw new FormatException($"mount \"{text}\": unknown key \"{key}\"");
            }
        }

        return Checked(text, type, source, destination, options);
    }

    /// <summary>Reads <c>SRC:DST[:OPTION[,OPTION]]</c> as docker does for paths of the host.</summary>
    /// <exception cref="FormatException">A part is missing, relative, or an option unknown.</exception>
    public static BindMount ParseVolume(string text)
    {
        string[] parts = text.Split(':');
        if (parts.Length is not (2 or 3))
        {
            throw new FormatException($"volume \"{text}\": must be SRC:DST or SRC:DST:ro");
        }

        string[] options = parts.Length == 3 ? parts[2].Split(',') : [];
        string? unknown = options.FirstOrDefault(option => !VolumeOptions.Contains(option));
        return unknown is null
            ? Checked(text, "bind", parts[0], parts[1], [.. options])
            : throw new FormatException($"volume \"{text}\": unknown option \"{unknown}\"");
    }

    private static BindMount Checked(string text, string type, string source, string destination, List<string> options)
    {
        if (!destination.StartsWith('/'))
        {
            throw new FormatException($"mount \"{text}\": the destination must be an absolute path");
        }

        if (type == "bind")
        {
            if (!source.StartsWith('/'))
            {
                throw new FormatException($"mount \"{text}\": the source must be an absolute path");
            }

            if (!options.Exists(option => option is "bind" or "rbind"))
            {
                options.Insert(0, "rbind");
            }

            if (!options.Exists(option => option is "ro" or "rw"))
            {
                options.Add("rw");
            }
        }
        else if (type.Length == 0)
        {
            throw new FormatException($"mount \"{text}\": the type is empty");
        }

        return new BindMount(type, source.Length == 0 ? type : source, destination, options);
    }
}
