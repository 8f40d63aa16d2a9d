// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Configuration;
using Containerd.Actors.Cli.Json;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl config</c>: brings a containerd configuration into the form that this daemon reads.</summary>
internal static class ConfigCommand
{
    private static readonly Argument<string> File = new("FILE") { Description = "containerd's configuration, for example /etc/containerd/config.toml" };

    public static Command Build(GlobalOptions globals)
    {
        var import = new Command("import", "Print a containerd config.toml (version 2, 3 or 4) as HOCON; what has no counterpart is named on standard error")
        {
            File,
        };
        import.Act(globals, parsed => parsed.GetValue(File) ?? "", async (session, parsed, _) =>
        {
            string file = parsed.GetRequiredValue(File);
            Translation translation = Translation.Of(ConfigurationFile.Read(file));
            if (session.Json)
            {
                JsonOutput.WriteLine(session.Out, ImportDocument.From(translation), CliJson.Documents.ImportDocument);
                return 0;
            }

            foreach (Remark remark in translation.Remarks)
            {
                await session.Error.WriteLineAsync(remark.Line).ConfigureAwait(false);
            }

            await session.Out.WriteAsync(translation.ToHocon(Path.GetFullPath(file))).ConfigureAwait(false);
            return 0;
        });
        return new Command("config", "Bring a containerd configuration over") { import };
    }
}
