// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Images;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Output;
using Containerd.Actors.Cli.Pulling;
using Containerd.Actors.Oci.Images;
using Containerd.Services.Images.V1;
using Grpc.Core;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl images</c>: lists and removes images.</summary>
internal static class ImagesCommand
{
    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("images", "List or remove images") { BuildList(globals), BuildRemove(globals) };
        command.Act(globals, _ => "", ListAsync);
        return command;
    }

    private static Command BuildList(GlobalOptions globals)
    {
        var list = new Command("ls", "List images");
        list.Act(globals, _ => "", ListAsync);
        return list;
    }

    private static Command BuildRemove(GlobalOptions globals)
    {
        var names = new Argument<string[]>("IMAGE") { Description = "Name of an image", Arity = ArgumentArity.OneOrMore };
        var remove = new Command("rm", "Remove images") { names };
        remove.Act(globals, _ => "", async (session, parsed, cancellation) => await Each.OfAsync(
            session, parsed.GetRequiredValue(names), name => RemoveAsync(session, name, cancellation)).ConfigureAwait(false));
        return remove;
    }

    private static async Task RemoveAsync(Session session, string name, CancellationToken cancellation)
    {
        Image? found = await new ImageStore(session.Connection).FindAsync(name, cancellation).ConfigureAwait(false);
        if (found is null)
        {
            throw new CliFailure(name, "image not found", "\"cactl images\" lists what there is");
        }

        await session.Connection.Images.DeleteAsync(
            new DeleteImageRequest { Name = found.Name, Sync = true }, cancellationToken: cancellation).ConfigureAwait(false);
    }

    private static async Task<int> ListAsync(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        ListImagesResponse listed = await session.Connection.Images.ListAsync(
            new ListImagesRequest(), cancellationToken: cancellation).ConfigureAwait(false);
        var documents = new List<ImageDocument>();
        foreach (Image image in listed.Images.OrderBy(image => image.Name, StringComparer.Ordinal))
        {
            documents.Add(await DescribeAsync(session, image, cancellation).ConfigureAwait(false));
        }

        if (session.Json)
        {
            JsonOutput.WriteLine(session.Out, documents, CliJson.Documents.IReadOnlyListImageDocument);
            return 0;
        }

        DateTimeOffset now = session.Time.GetUtcNow();
        var table = new Table("NAME", "DIGEST", "SIZE", "PLATFORMS", "CREATED");
        foreach (ImageDocument image in documents)
        {
            string age = image.CreatedAt is null ? "-" : Ages.Since(image.CreatedAt, now) + " ago";
            table.Add(
                image.Name, ProgressLines.ShortDigest(image.Digest), Sizes.Format(image.Size), string.Join(',', image.Platforms), age);
        }

        session.Print(table);
        return 0;
    }

    // An image whose documents are not all here is listed all the same, with what is known of it.
    private static async Task<ImageDocument> DescribeAsync(Session session, Image image, CancellationToken cancellation)
    {
        var store = new ImageStore(session.Connection);
        long size = image.Target.Size;
        IReadOnlyList<string> platforms = [];
        try
        {
            platforms = await store.PlatformsAsync(image, cancellation).ConfigureAwait(false);
            ResolvedImage resolved = await store.ResolveAsync(image, PlatformMatcher.Default, cancellation).ConfigureAwait(false);
            size = resolved.Manifest.Config!.Size + resolved.Manifest.Layers.Sum(layer => layer.Size);
        }
        catch (Exception missing) when (missing is CliFailure or FormatException or RpcException { StatusCode: StatusCode.NotFound })
        {
            return ImageDocument.From(image, size, platforms);
        }

        return ImageDocument.From(image, size, platforms);
    }
}
