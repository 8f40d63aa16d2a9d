// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Images;
using Containerd.Actors.Oci.References;
using Containerd.Services.Images.V1;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl tag</c>: gives an image further names.</summary>
internal static class TagCommand
{
    private static readonly Argument<string> Source = new("IMAGE") { Description = "Name of an image" };
    private static readonly Argument<string[]> Targets = new("NAME") { Description = "A further name of it", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<bool> Force = new("--force", "-f") { Description = "Take a name that another image has" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("tag", "Give an image further names") { Source, Targets, Force };
        command.Act(globals, parsed => parsed.GetValue(Source) ?? "", async (session, parsed, cancellation) =>
        {
            string source = parsed.GetRequiredValue(Source);
            Image image = await new ImageStore(session.Connection).FindAsync(source, cancellation).ConfigureAwait(false)
                ?? throw new CliFailure(source, "image not found", "\"cactl images\" lists what there is");
            return await Each.OfAsync(
                session, parsed.GetRequiredValue(Targets), name => TagAsync(session, image, name, parsed.GetValue(Force), cancellation)).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task TagAsync(Session session, Image image, string name, bool isForced, CancellationToken cancellation)
    {
        Check(name);
        await new ImageStore(session.Connection).PutAsync(name, image.Target, image.Labels, isForced, cancellation).ConfigureAwait(false);
    }

    /// <summary>Refuses a name that no registry would know.</summary>
    /// <exception cref="CliFailure">The name is not a reference.</exception>
    internal static void Check(string name)
    {
        try
        {
            ImageReference.Parse(name);
        }
        catch (FormatException malformed)
        {
            throw new CliFailure(name, malformed.Message, "a name has its registry, for example docker.io/library/redis:7");
        }
    }
}
