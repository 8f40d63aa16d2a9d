// SPDX-License-Identifier: Apache-2.0

using static Containerd.Actors.Cli.Configuration.Conversions;

namespace Containerd.Actors.Cli.Configuration;

/// <summary>Sections whose entries have names of the operator's: an entry is carried over as a whole or not at all.</summary>
internal static class Entries
{
    private const string Plugins = "proxy_plugins";
    private const string Processors = "stream_processors";

    private static readonly string[] Sections = [Plugins, Processors];
    private static readonly string[] Own = ["overlayfs", "native", "btrfs", "walking"];

    /// <summary>The name of the entry that a setting belongs to, its section before it; null for settings elsewhere.</summary>
    public static string? NameOf(Setting setting)
    {
        foreach (string section in Sections)
        {
            if (setting.Path.StartsWith(section + ".", StringComparison.Ordinal))
            {
                int start = section.Length + 1;
                int end = setting.Path[start] == '"' ? setting.Path.IndexOf('"', start + 1) + 1 : setting.Path.IndexOf('.', start);
                return end > 0 && end < setting.Path.Length ? setting.Path[..end] : null;
            }
        }

        return null;
    }

    /// <summary>True for a setting that makes its entry a content store.</summary>
    public static bool IsContent(Setting setting) => setting is { Value: "content" } && NameOf(setting) is { } entry && setting.Path == $"{entry}.type";

    /// <summary>What becomes of the settings of an entry, one by one.</summary>
    /// <exception cref="Errors.CliFailure">A value is none that containerd takes.</exception>
    public static IEnumerable<(Setting Setting, Outcome Outcome)> Of(string entry, IReadOnlyList<Setting> settings)
    {
        if (settings.All(ContainerdDefaults.Has))
        {
            return [];
        }

        bool isPlugin = entry.StartsWith(Plugins, StringComparison.Ordinal);
        string path = entry[(entry.IndexOf('.', StringComparison.Ordinal) + 1)..];
        string? reason = isPlugin ? WhyNotPlugin(path.Trim('"'), Find(entry, settings)) : WhyNotProcessor(Find(entry, settings));
        return reason is null
            ? settings.Select(setting => (setting, Carried(setting, setting.Path[(entry.Length + 1)..], $"containerd.{(isPlugin ? "proxy-plugins" : "stream-processors")}.{path}")))
            : [(settings[0], new Outcome.Left(reason))];
    }

    private static Func<string, Setting?> Find(string entry, IReadOnlyList<Setting> settings) =>
        key => settings.FirstOrDefault(setting => setting.Path == $"{entry}.{key}");

    private static string? WhyNotPlugin(string name, Func<string, Setting?> find) =>
        Own.Contains(name) ? $"{name} is what the daemon has itself"
        : find("type") is not { } type ? "a plugin without a type is none"
        : Word(type) is not ("snapshot" or "diff" or "content") ? $"plugins of type {Word(type)} are not served"
        : find("address") is { } address && Socket(address) is { Length: <= 107 } socket && Path.IsPathRooted(socket) ? null
        : "the address must be the path of a unix socket";

    private static string? WhyNotProcessor(Func<string, Setting?> find) =>
        find("accepts") is not { } accepts || Words(accepts).Count == 0 ? "a stream processor must accept a media type"
        : find("returns") is not { } returns || Word(returns).Length == 0 ? "a stream processor must return a media type"
        : find("path") is { } program && Path.IsPathRooted(Word(program)) ? null
        : "the path of a stream processor must be absolute: it is not looked for in PATH";

    private static Outcome Carried(Setting setting, string key, string path) => key switch
    {
        "type" => new Outcome.Carried(
            $"{path}.type", Word(setting), Word(setting) == "content" ? "it takes the place of the daemon's own content store" : null),
        "address" => new Outcome.Carried($"{path}.address", Quoted(Socket(setting))),
        "platform" when Word(setting).Length == 0 => Outcome.Passed.Over,
        "platform" => new Outcome.Carried($"{path}.platforms", $"[{Quoted(Word(setting))}]"),
        "capabilities" or "accepts" or "args" or "env" => new Outcome.Carried($"{path}.{key}", $"[{string.Join(", ", Words(setting).Select(Quoted))}]"),
        "returns" or "path" => new Outcome.Carried($"{path}.{key}", Quoted(Word(setting))),
        ['e', 'x', 'p', 'o', 'r', 't', 's', '.', ..] => new Outcome.Carried($"{path}.{key}", Quoted(Word(setting))),
        _ => new Outcome.Left("containerd has no such setting"),
    };

    private static string Socket(Setting address) => Word(address).Replace("unix://", "", StringComparison.Ordinal);
}
