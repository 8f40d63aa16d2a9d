// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Supervision.Namespaces;

/// <summary>HOCON that travels inside this assembly.</summary>
internal static class Embedded
{
    /// <summary>The file of this name in <c>hocon/reference</c>.</summary>
    public static Config Read(string file)
    {
        using Stream stream = typeof(Embedded).Assembly.GetManifestResourceStream(file)
            ?? throw new InvalidOperationException($"{file} is not embedded");
        using StreamReader reader = new(stream);
        return ConfigurationFactory.ParseString(reader.ReadToEnd());
    }
}
