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
    private const string Product = "containerd";

    // Below it names are the operator's own; what each may have is what the first of the reference has.
    private const string Named = "containerd.runtimes";

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

    /// <summary>Paths under <c>containerd</c> that the reference does not have, and blocks beside it that nobody reads.</summary>
    public static IEnumerable<string> UnknownKeys(Config config, Config reference)
    {
        HashSet<string> known = [.. Keys(reference).Select(key => key.Meant)];
        return Blocks(config).Concat(Keys(config).Where(key => !known.Contains(key.Meant) && !OpenTables.Has(key.Written)).Select(key => key.Written));
    }

    private static IEnumerable<string> Blocks(Config config) =>
        config.Root.IsObject() ? config.Root.GetObject().Items.Keys.Where(name => name is not (Product or "akka")) : [];

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

    private static IEnumerable<(string Written, string Meant)> Keys(Config config) =>
        config.Root.IsObject() && config.Root.GetObject().Items.TryGetValue(Product, out HoconValue? root)
            ? Keys(root, Product, Product)
            : [];

    private static IEnumerable<(string Written, string Meant)> Keys(HoconValue value, string written, string meant) => value.IsObject()
        ? value.GetObject().Items.SelectMany(item => Keys(item.Value, $"{written}.{item.Key}", $"{meant}.{(meant == Named ? "*" : item.Key)}"))
        : [(written, meant)];

    private static void Override(StringBuilder text, string key, string? value)
    {
        if (value is not null)
        {
            text.Append("containerd.").Append(key).Append(" = \"").Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append("\"\n");
        }
    }
}
