// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Security.Cryptography;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Running;
using Containerd.Actors.Cli.Terminals;
using Containerd.Actors.Cli.Transfers;
using Containerd.Types.Transfer;
using WireStore = Containerd.Types.Transfer.ImageStore;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl export</c>: writes images into an archive.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> Archive = new("FILE") { Description = "The archive; - for standard output" };
    private static readonly Argument<string[]> Images = new("IMAGE") { Description = "Name of an image", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string[]> Platform = PlatformOptions.Several("Platform to export (default: this host's)");
    private static readonly Option<bool> AllPlatforms = new("--all-platforms") { Description = "Export every platform of the images" };
    private static readonly Option<bool> SkipManifest = new("--skip-manifest-json") { Description = "Leave out what docker needs to load the archive" };
    private static readonly Option<bool> SkipForeign = new("--skip-non-distributable") { Description = "Leave out layers that may not be distributed" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("export", "Export images into an archive") { Archive, Images, Platform, AllPlatforms, SkipManifest, SkipForeign };
        command.Act(globals, parsed => parsed.GetValue(Archive) ?? "", async (session, parsed, cancellation) =>
        {
            string path = parsed.GetRequiredValue(Archive);
            string[] images = parsed.GetRequiredValue(Images);
            WireStore source = new();
            source.ExtraReferences.AddRange(images.Select(image => new ImageReference { Name = image }));
            var shown = new ShownTransfer(session, string.Join(' ', images), "exporting", isQuiet: path == "-");
            Task WriteAsync(Stream archive) =>
                shown.RunAsync(transfer => transfer.ExportAsync(source, Form(parsed), archive, shown.Moved, cancellation));
            await (path == "-" ? ToOutputAsync(WriteAsync) : ToFileAsync(path, WriteAsync)).ConfigureAwait(false);
            return 0;
        });
        return command;
    }

    /// <summary>What goes into the archive.</summary>
    internal static ImageExportStream Form(ParseResult parsed)
    {
        ImageExportStream form = new()
        {
            AllPlatforms = parsed.GetValue(AllPlatforms),
            SkipCompatibilityManifest = parsed.GetValue(SkipManifest),
            SkipNonDistributable = parsed.GetValue(SkipForeign),
        };
        form.Platforms.AddRange(PlatformOptions.Read(parsed, Platform).Select(PlatformOptions.ToWire));
        return form;
    }

    private static async Task ToOutputAsync(Func<Stream, Task> write)
    {
        if (Native.IsTerminal(Native.StandardOutput))
        {
            throw new CliFailure("-", "an archive is not for a terminal", "name a file, or send standard output into one");
        }

        Stream output = StandardStreams.Output();
        await using (output.ConfigureAwait(false))
        {
            await write(output).ConfigureAwait(false);
        }
    }

    // A file of the wanted name is always a whole archive: what is written gets the name at its end.
    private static async Task ToFileAsync(string path, Func<Stream, Task> write)
    {
        string partial = $"{path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.partial";
        try
        {
            FileStream file = new(partial, FileMode.CreateNew, FileAccess.Write);
            await using (file.ConfigureAwait(false))
            {
                await write(file).ConfigureAwait(false);
            }

            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }
}
