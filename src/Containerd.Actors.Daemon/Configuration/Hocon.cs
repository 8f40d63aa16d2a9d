// SPDX-License-Identifier: Apache-2.0

using System.Reflection;
using System.Text;
using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace Containerd.Actors.Daemon.Configuration;

/// <summary>The configuration in force: references, then a file, then the command line.</summary>
public static class Hocon
{
    private const string Prefix = "hocon/";

    /// <summary>Every key of the product with its default, and Akka's settings.</summary>
    public static Config Reference()
    {
        Assembly assembly = typeof(Hocon).Assembly;
        Config config = Config.Empty;
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using StreamReader reader = new(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
            config = ConfigurationFactory.ParseString(reader.ReadToEnd()).WithFallback(config);
        }

        return config;
    }

    /// <summary>The configuration for a command line.</summary>
    /// <exception cref="ConfigurationException">The file cannot be read or names a key that does not exist.</exception>
    public static Config Load(CommandLine line)
    {
        Config reference = Reference();
        Config config = reference;
        if (line.ConfigFile is { } file)
        {
            Config overrides = Parse(file);
            string[] unknown = [.. UnknownKeys(overrides, reference)];
            if (unknown.Length > 0)
            {
                throw new ConfigurationException($"{file}: unknown key {string.Join(", ", unknown)}");
            }

            config = overrides.WithFallback(config);
        }

        StringBuilder text = new();
        Override(text, "address", line.Address);
        Override(text, "root", line.Root);
        Override(text, "state", line.State);
        Override(text, "log-level", line.LogLevel);
        return text.Length == 0 ? config : ConfigurationFactory.ParseString(text.ToString()).WithFallback(config);
    }

    /// <summary>Paths under <c>containerd</c> that the reference does not have.</summary>
    public static IEnumerable<string> UnknownKeys(Config config, Config reference)
    {
        HashSet<string> known = [.. Keys(reference)];
        return Keys(config).Where(key => !known.Contains(key) && !OpenTables.Has(key));
    }

    private static Config Parse(string file)
    {
        try
        {
            return ConfigurationFactory.ParseString(File.ReadAllText(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{file}: {e.Message}", e);
        }
        catch (Exception e) when (e is ConfigurationException or FormatException or InvalidOperationException)
        {
            throw new ConfigurationException($"{file}: {e.Message}", e);
        }
    }

    private static IEnumerable<string> Keys(Config config) =>
        config.Root.IsObject() && config.Root.GetObject().Items.TryGetValue("containerd", out HoconValue? root)
            ? Keys(root, "containerd")
            : [];

    private static IEnumerable<string> Keys(HoconValue value, string path) =>
        value.IsObject() ? value.GetObject().Items.SelectMany(item => Keys(item.Value, $"{path}.{item.Key}")) : [path];

    private static void Override(StringBuilder text, string key, string? value)
    {
        if (value is not null)
        {
            text.Append("containerd.").Append(key).Append(" = \"").Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append("\"\n");
        }
    }
}
