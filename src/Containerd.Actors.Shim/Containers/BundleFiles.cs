// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using Containerd.Runc.V1;
using Google.Protobuf;

namespace Containerd.Actors.Shim.Containers;

/// <summary>Files that the shim and its OCI runtime keep in a bundle, also for a later <c>delete</c>.</summary>
internal static class BundleFiles
{
    /// <summary>Where the OCI runtime writes the number of the first process.</summary>
    public const string InitPid = "init.pid";

    private const string OptionsFile = "options.json";
    private const string RuntimeFile = "runtime";
    private const string StartFile = "start-options";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>A number from a file; 0 when it is not there.</summary>
    public static uint ReadPid(string bundle, string name)
    {
        try
        {
            string text = File.ReadAllText(Path.Combine(bundle, name));
            return uint.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out uint pid) ? pid : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Whether an OCI runtime may have been asked for a container in this bundle.</summary>
    public static bool HasOptions(string bundle) => File.Exists(Path.Combine(bundle, OptionsFile));

    /// <summary>Keeps, for the server, the options that the action <c>start</c> was given; default ones need no file.</summary>
    public static void WriteStartOptions(string bundle, Options options)
    {
        if (options.CalculateSize() > 0)
        {
            using FileStream file = Create(Path.Combine(bundle, StartFile));
            file.Write(options.ToByteArray());
        }
    }

    /// <summary>The options that <c>start</c> was given.</summary>
    public static Options ReadStartOptions(string bundle)
    {
        string path = Path.Combine(bundle, StartFile);
        return File.Exists(path) ? Options.Parser.ParseFrom(File.ReadAllBytes(path)) : new Options();
    }

    /// <summary>Keeps what a delete needs of the options, under the names that runc's shim gives them.</summary>
    public static void WriteOptions(string bundle, Options options)
    {
        using (FileStream file = Create(Path.Combine(bundle, OptionsFile)))
        {
            using Utf8JsonWriter json = new(file);
            json.WriteStartObject();
            json.WriteString("binary_name", options.BinaryName);
            json.WriteString("root", options.Root);
            json.WriteBoolean("systemd_cgroup", options.SystemdCgroup);
            json.WriteEndObject();
        }

        using FileStream runtime = Create(Path.Combine(bundle, RuntimeFile));
        runtime.Write(System.Text.Encoding.UTF8.GetBytes(options.BinaryName));
    }

    /// <summary>The options that were kept; defaults when there are none.</summary>
    public static Options ReadOptions(string bundle)
    {
        string path = Path.Combine(bundle, OptionsFile);
        if (!File.Exists(path))
        {
            return new Options();
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            return new Options
            {
                BinaryName = Text(root, "binary_name"),
                Root = Text(root, "root"),
                SystemdCgroup = root.TryGetProperty("systemd_cgroup", out JsonElement systemd) && systemd.ValueKind == JsonValueKind.True,
            };
        }
        catch (JsonException)
        {
            // Half written by a shim that was killed: nothing ran with these options yet.
            return new Options();
        }
    }

    private static string Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "" : "";

    private static FileStream Create(string path) => new(
        path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
}
