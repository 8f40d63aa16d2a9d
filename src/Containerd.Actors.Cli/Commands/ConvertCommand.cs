// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Images;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Making;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Client.Leasing;
using Containerd.Actors.Oci.Images;
using Containerd.Services.Images.V1;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl convert</c>: makes an image of another, with other media types or another compression.</summary>
internal static class ConvertCommand
{
    private static readonly Argument<string> Source = new("IMAGE") { Description = "Name of an image" };
    private static readonly Argument<string> Target = new("NAME") { Description = "Name of the new image" };
    private static readonly Option<string> Compression = new("--compression") { Description = "Compression of layers (default: as they are)", HelpName = "gzip|zstd|none" };
    private static readonly Option<bool> Oci = new("--oci") { Description = "Give it OCI's media types" };
    private static readonly Option<bool> Docker = new("--docker") { Description = "Give it docker's media types" };
    private static readonly Option<string[]> Platform = PlatformOptions.Several("Platform to convert (default: those that are stored)");
    private static readonly Option<bool> AllPlatforms = new("--all-platforms") { Description = "Convert every platform; all must be stored" };
    private static readonly Option<bool> Force = new("--force", "-f") { Description = "Take a name that another image has" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("convert", "Convert an image") { Source, Target, Compression, Oci, Docker, Platform, AllPlatforms, Force };
        command.Act(globals, parsed => parsed.GetValue(Source) ?? "", async (session, parsed, cancellation) =>
        {
            (string source, string target) = (parsed.GetRequiredValue(Source), parsed.GetRequiredValue(Target));
            ConversionWish wish = Wish(parsed);
            TagCommand.Check(target);
            Image image = await new ImageStore(session.Connection).FindAsync(source, cancellation).ConfigureAwait(false)
                ?? throw new CliFailure(source, "image not found", $"pull it with \"cactl pull {source}\"");
            TemporaryLease lease = await TemporaryLease.CreateAsync(session.Connection, session.Time, cancellation).ConfigureAwait(false);
            await using (lease.ConfigureAwait(false))
            {
                var conversion = new ImageConversion(lease.Connection, wish, line =>
                {
                    if (!session.Json)
                    {
                        session.Out.WriteLine(line);
                    }
                });
                Descriptor made = await conversion.RunAsync(ImageStore.TargetOf(image), cancellation).ConfigureAwait(false);
                await new ImageStore(lease.Connection).PutAsync(
                    target, ImageStore.ToWire(made), image.Labels, parsed.GetValue(Force), cancellation).ConfigureAwait(false);
                Tell(session, target, made);
            }

            return 0;
        });
        return command;
    }

    /// <summary>What is to be made.</summary>
    /// <exception cref="FormatException">The options contradict each other, or ask for nothing.</exception>
    internal static ConversionWish Wish(ParseResult parsed)
    {
        LayerCompression? compression = parsed.GetValue(Compression) switch
        {
            null => null,
            "gzip" => LayerCompression.Gzip,
            "zstd" => LayerCompression.Zstd,
            "none" => LayerCompression.None,
            string other => throw new FormatException($"compression \"{other}\": must be gzip, zstd or none"),
        };
        MediaForm form = (parsed.GetValue(Oci), parsed.GetValue(Docker)) switch
        {
            (true, true) => throw new FormatException("an image has either OCI's media types or docker's: give --oci or --docker"),
            (true, _) => MediaForm.Oci,
            (_, true) => MediaForm.Docker,
            _ => MediaForm.Same,
        };
        IReadOnlyList<Platform> platforms = PlatformOptions.Read(parsed, Platform);
        return compression is null && form == MediaForm.Same && platforms.Count == 0
            ? throw new FormatException("nothing is to be converted: give --compression, --oci, --docker or --platform")
            : new ConversionWish(form, compression, platforms, parsed.GetValue(AllPlatforms));
    }

    /// <summary>Says what was made.</summary>
    internal static void Tell(Session session, string name, Descriptor made)
    {
        if (session.Json)
        {
            JsonOutput.WriteLine(session.Out, new MadeImageDocument(name, made.Digest.ToString(), made.MediaType), CliJson.Documents.MadeImageDocument);
        }
        else
        {
            session.Out.WriteLine(made.Digest.ToString());
        }
    }
}
