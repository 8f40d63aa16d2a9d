// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Running;
using Containerd.Actors.Cli.Transfers;
using Containerd.Actors.Oci.Images;
using Containerd.Types.Transfer;
using WireStore = Containerd.Types.Transfer.ImageStore;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl import</c>: stores the images of an archive.</summary>
internal static class ImportCommand
{
    private static readonly Argument<string> Archive = new("FILE") { Description = "OCI layout or docker archive as tar, plain, gzip or zstd; - for standard input" };
    private static readonly Option<string> BaseName = new("--base-name") { Description = "Store images only under names that begin with this; a tag alone is put behind it", HelpName = "NAME" };
    private static readonly Option<string> IndexName = new("--index-name") { Description = "Store the archive's index under this name", HelpName = "NAME" };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "With --base-name: store other names in the archive, too" };
    private static readonly Option<bool> Digests = new("--digests") { Description = "Store images also by their digest" };
    private static readonly Option<bool> SkipNamed = new("--skip-digest-for-named") { Description = "With --digests: only images without another name" };
    private static readonly Option<string[]> Platform = PlatformOptions.Several("Platform to import (default: this host's)");
    private static readonly Option<bool> AllPlatforms = new("--all-platforms") { Description = "Import every platform of the archive" };
    private static readonly Option<bool> NoUnpack = new("--no-unpack") { Description = "Do not unpack" };
    private static readonly Option<string> Snapshotter = new("--snapshotter") { Description = "Snapshotter to unpack into", HelpName = "NAME" };
    private static readonly Option<bool> Compress = new("--compress-blobs") { Description = "Compress layers of a docker archive" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("import", "Import images from an archive")
        {
            Archive, BaseName, IndexName, Overwrite, Digests, SkipNamed, Platform, AllPlatforms, NoUnpack, Snapshotter, Compress,
        };
        command.Act(globals, parsed => parsed.GetValue(Archive) ?? "", async (session, parsed, cancellation) =>
        {
            string path = parsed.GetRequiredValue(Archive);
            WireStore destination = Destination(parsed, session.Time.GetUtcNow());
            ImageImportStream source = new() { ForceCompress = parsed.GetValue(Compress) };
            Stream archive = path == "-" ? StandardStreams.Input() : File.OpenRead(path);
            await using (archive.ConfigureAwait(false))
            {
                var shown = new ShownTransfer(session, path, "importing");
                IReadOnlyList<string> saved = await shown
                    .RunAsync(transfer => transfer.ImportAsync(archive, source, destination, shown.Moved, cancellation)).ConfigureAwait(false);
                return Tell(session, path, saved);
            }
        });
        return command;
    }

    /// <summary>What becomes of the images; names and defaults are those of containerd's own client.</summary>
    internal static WireStore Destination(ParseResult parsed, DateTimeOffset now)
    {
        string? prefix = parsed.GetValue(BaseName);
        WireStore store = new() { Name = parsed.GetValue(IndexName) ?? "" };
        store.ExtraReferences.Add(new ImageReference
        {
            // A name made up here gives way to those in the archive.
            Name = prefix ?? "import-" + now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            IsPrefix = true,
            AllowOverwrite = prefix is null || parsed.GetValue(Overwrite),
            AddDigest = parsed.GetValue(Digests),
            SkipNamedDigest = parsed.GetValue(Digests) && parsed.GetValue(SkipNamed),
        });
        IReadOnlyList<Platform> named = PlatformOptions.Read(parsed, Platform);
        IReadOnlyList<Platform> platforms = named.Count > 0 ? named : [Platforms.Host];
        if (!parsed.GetValue(AllPlatforms))
        {
            store.Platforms.AddRange(platforms.Select(PlatformOptions.ToWire));
        }

        if (!parsed.GetValue(NoUnpack))
        {
            store.Unpacks.AddRange(platforms.Select(platform => new UnpackConfiguration
            {
                Platform = PlatformOptions.ToWire(platform),
                Snapshotter = parsed.GetValue(Snapshotter) ?? "",
            }));
        }

        return store;
    }

    private static int Tell(Session session, string path, IReadOnlyList<string> saved)
    {
        if (saved.Count == 0)
        {
            throw new CliFailure(path, "no image in the archive has a name that is wanted", "--digests stores images without names, too");
        }

        if (!session.Json)
        {
            foreach (string name in saved)
            {
                session.Out.WriteLine(name);
            }
        }

        return 0;
    }
}
