// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Errors;

namespace Containerd.Actors.Cli.Configuration;

/// <summary>Reads a containerd configuration with all that it imports into settings under the names of version 4.</summary>
/// <remarks>
/// Later files win, as in containerd: a setting of a plugin by being there, one of the daemon by saying something; the daemon's lists
/// grow; a stream processor, proxy plugin or timeout is replaced as a whole.
/// </remarks>
internal sealed class ConfigurationFile
{
    private const int FilesMax = 256;
    private const long FileBytesMax = 4 << 20;

    private readonly OrderedDictionary<string, Setting> _settings = [];
    private readonly List<Remark> _remarks = [];
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private readonly Queue<string> _waiting = new();
    private int _version;

    private ConfigurationFile()
    {
    }

    /// <summary>The settings in force, in the order in which they were first named.</summary>
    public IEnumerable<Setting> Settings => _settings.Values;

    /// <summary>What is to be said of the files themselves.</summary>
    public IReadOnlyList<Remark> Remarks => _remarks;

    /// <summary>Reads a file and all that it imports.</summary>
    /// <exception cref="CliFailure">One of them cannot be read, is no TOML, or has a version that is not known.</exception>
    public static ConfigurationFile Read(string file)
    {
        ConfigurationFile configuration = new();
        configuration._waiting.Enqueue(Path.GetFullPath(file));
        while (configuration._waiting.TryDequeue(out string? next))
        {
            if (configuration._read.Add(next))
            {
                configuration.Take(next);
            }
        }

        return configuration;
    }

    private void Take(string file)
    {
        if (_read.Count > FilesMax)
        {
            throw new CliFailure(file, $"more than {FilesMax} files import each other");
        }

        List<Setting> settings = [.. TomlReader.Read(Text(file), file).Select(value =>
            new Setting(Setting.Join(PluginNames.Newest(value.Path)), value.Value, file, value.Line, Setting.Join(value.Path)))];
        Check(settings, file);
        string[] replaced = [.. settings.Select(Entries.NameOf).OfType<string>().Distinct()];
        foreach (string old in _settings.Keys.Where(path => replaced.Any(whole => path.StartsWith(whole + ".", StringComparison.Ordinal))).ToArray())
        {
            _settings.Remove(old);
        }

        settings.ForEach(Merge);
        foreach (Setting imports in settings.Where(setting => setting.Path == "imports"))
        {
            Import(imports);
        }
    }

    private void Check(List<Setting> settings, string file)
    {
        Setting? stated = settings.Find(setting => setting.Path == "version");
        long version = stated switch
        {
            null => 1,
            { Value: long number } => number,
            _ => throw new CliFailure(stated.Place, "version must be a number"),
        };
        if (version is < 2 or > 4)
        {
            throw version == 1 || version == 0
                ? new CliFailure(stated?.Place ?? file, "version 1 is not read", "give the plugins their full names and set version = 2")
                : new CliFailure(stated!.Place, $"version {version} is not known; 2, 3 and 4 are");
        }

        if (_version == 0)
        {
            _version = (int)version;
        }
        else if (version > _version)
        {
            throw new CliFailure(stated!.Place, $"an imported file must not be newer than version {_version} of the file that is read first");
        }
    }

    private void Merge(Setting setting)
    {
        bool isOfPlugin = setting.Path.StartsWith("plugins.", StringComparison.Ordinal);
        if (!_settings.TryGetValue(setting.Path, out Setting? earlier) || isOfPlugin)
        {
            _settings[setting.Path] = setting;
        }
        else if (earlier.Value is IReadOnlyList<object> first && setting.Value is IReadOnlyList<object> second)
        {
            _settings[setting.Path] = setting with { Value = (IReadOnlyList<object>)[.. first.Union(second)] };
        }
        else if (!setting.IsEmpty)
        {
            _settings[setting.Path] = setting;
        }
    }

    private void Import(Setting imports)
    {
        if (imports.Value is not IReadOnlyList<object> list || list.Any(item => item is not string))
        {
            throw new CliFailure(imports.Place, "imports must be a list of paths");
        }

        foreach (string name in list.Cast<string>())
        {
            string path = Path.GetFullPath(name, Path.GetDirectoryName(imports.File)!);
            if (name.Contains('*', StringComparison.Ordinal))
            {
                foreach (string found in Found(path, imports))
                {
                    _waiting.Enqueue(found);
                }
            }
            else if (File.Exists(path))
            {
                _waiting.Enqueue(path);
            }
            else
            {
                _remarks.Add(new Remark(imports, $"\"{name}\" does not exist"));
            }
        }
    }

    private static IEnumerable<string> Found(string pattern, Setting imports)
    {
        try
        {
            return FilePattern.Files(pattern);
        }
        catch (FormatException malformed)
        {
            throw new CliFailure(imports.Place, $"imports: {malformed.Message}");
        }
    }

    private static string Text(string file)
    {
        try
        {
            return new FileInfo(file).Length > FileBytesMax
                ? throw new CliFailure(file, $"longer than {FileBytesMax} bytes")
                : File.ReadAllText(file);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CliFailure(file, failed is FileNotFoundException or DirectoryNotFoundException ? "no such file" : failed.Message);
        }
    }
}
