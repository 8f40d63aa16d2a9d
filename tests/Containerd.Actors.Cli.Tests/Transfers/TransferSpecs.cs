// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Commands;
using Containerd.Actors.Cli.Pulling;
using Containerd.Actors.Cli.Transfers;
using Containerd.Types;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Cli.Tests.Transfers;

public sealed class TransferSpecs
{
    private static readonly DateTimeOffset Day = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Blobs_are_shown_in_the_words_of_a_pull()
    {
        var view = new TransferView("r.test/a:1", "pushing");
        Assert.False(view.Take(new Progress { Event = "Pushing to OCI Registry (r.test/a:1)" }));
        Assert.False(view.Take(new Progress { Event = "pushing content", Name = "a", Desc = new Descriptor() }));
        Descriptor blob = new() { Digest = "sha256:0123456789abcdef", Size = 2048 };
        Assert.True(view.Take(new Progress { Event = "uploading", Name = "layer", Desc = blob, Progress_ = 1024 }));
        Assert.Equal(
            ["r.test/a:1: pushing", "0123456789ab  uploading  [===================>                  ] 1.0 KiB / 2.0 KiB"],
            ProgressLines.Draw(view.Current, 100));
        view.Take(new Progress { Event = "already exists", Name = "layer", Desc = blob });
        Assert.Contains("exists", ProgressLines.Draw(view.Current, 100)[1], StringComparison.Ordinal);
        Assert.Equal("r.test/a:1: completed", ProgressLines.Draw(view.At("completed"), 100)[0]);
    }

    [Fact]
    public void Saved_images_are_remembered()
    {
        var view = new TransferView("a.tar", "importing");
        view.Take(new Progress { Event = "saved", Name = "r.test/a:1" });
        Assert.Equal(["r.test/a:1"], view.Saved);
    }

    [Fact]
    public void An_import_has_the_defaults_of_containerds_client()
    {
        Types.Transfer.ImageStore store = ImportCommand.Destination(CommandTree.Parse(["import", "a.tar"]), Day);
        ImageReference prefix = Assert.Single(store.ExtraReferences);
        Assert.Equal(("import-2026-11-24", true, true, false), (prefix.Name, prefix.IsPrefix, prefix.AllowOverwrite, prefix.AddDigest));
        Assert.Single(store.Platforms);
        Assert.Equal("", Assert.Single(store.Unpacks).Snapshotter);
    }

    [Fact]
    public void An_import_reads_all_of_its_options()
    {
        Types.Transfer.ImageStore store = ImportCommand.Destination(
            CommandTree.Parse("import - --base-name r.test/a --digests --skip-digest-for-named --index-name i --all-platforms --no-unpack".Split(' ')), Day);
        ImageReference prefix = Assert.Single(store.ExtraReferences);
        Assert.Equal(("r.test/a", false, true, true), (prefix.Name, prefix.AllowOverwrite, prefix.AddDigest, prefix.SkipNamedDigest));
        Assert.Equal(("i", 0, 0), (store.Name, store.Platforms.Count, store.Unpacks.Count));
    }

    [Fact]
    public void An_export_reads_all_of_its_options()
    {
        ImageExportStream form = ExportCommand.Form(CommandTree.Parse(
            "export a.tar x y --platform linux/arm64 --platform linux/amd64 --skip-manifest-json --skip-non-distributable".Split(' ')));
        Assert.Equal(["arm64", "amd64"], form.Platforms.Select(platform => platform.Architecture));
        Assert.True(form is { SkipCompatibilityManifest: true, SkipNonDistributable: true, AllPlatforms: false });
    }

    [Fact]
    public void Credentials_are_for_the_registry_of_the_reference_alone()
    {
        ParseResult parsed = CommandTree.Parse("push a docker.io/me/a:1 --user me:s:e --plain-http".Split(' '));
        OCIRegistry registry = PushCommand.Registry(parsed, "a");
        Assert.Equal(("docker.io/me/a:1", "http"), (registry.Reference, registry.Resolver.DefaultScheme));
        Func<AuthRequest, AuthResponse> answer = PushCommand.Credentials(parsed, registry.Reference, TextWriter.Null)!;
        Assert.Equal(("me", "s:e"), (answer(new AuthRequest { Host = "registry-1.docker.io" }).Username, answer(new AuthRequest { Host = "docker.io" }).Secret));
        Assert.Equal(AuthType.None, answer(new AuthRequest { Host = "mirror.test" }).AuthType);
        Assert.Null(PushCommand.Credentials(CommandTree.Parse(["push", "a"]), "docker.io/me/a:1", TextWriter.Null));
    }
}
