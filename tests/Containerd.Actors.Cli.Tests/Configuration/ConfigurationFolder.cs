// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Configuration;

namespace Containerd.Actors.Cli.Tests.Configuration;

/// <summary>A directory of configuration files that goes away with the test.</summary>
internal sealed class ConfigurationFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cactl-config-");

    public string Write(string name, string text)
    {
        string path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public Translation Import(string text) => Translation.Of(ConfigurationFile.Read(Write("config.toml", text)));

    public void Dispose() => _folder.Delete(recursive: true);
}
