// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Images;
using Containerd.Actors.Cli.Making;
using Containerd.Actors.Client.Leasing;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl commit</c>: makes an image of what a container changed.</summary>
internal static class CommitCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "Container" };
    private static readonly Argument<string> Name = new("NAME") { Description = "Name of the new image" };
    private static readonly Option<string> Author = new("--author", "-a") { Description = "Who made it", HelpName = "TEXT" };
    private static readonly Option<string> Message = new("--message", "-m") { Description = "What it is for", HelpName = "TEXT" };
    private static readonly Option<bool> Pause = new("--pause") { Description = "Hold the container's processes while its files are read", DefaultValueFactory = _ => true };
    private static readonly Option<bool> Force = new("--force", "-f") { Description = "Take a name that another image has" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("commit", "Make an image of a container") { Id, Name, Author, Message, Pause, Force };
        command.Act(globals, parsed => parsed.GetValue(Id) ?? "", async (session, parsed, cancellation) =>
        {
            string name = parsed.GetRequiredValue(Name);
            TagCommand.Check(name);
            TemporaryLease lease = await TemporaryLease.CreateAsync(session.Connection, session.Time, cancellation).ConfigureAwait(false);
            await using (lease.ConfigureAwait(false))
            {
                CommitRequest request = new(parsed.GetValue(Author) ?? "", parsed.GetValue(Message) ?? "", parsed.GetValue(Pause));
                Descriptor made = await new ContainerCommit(lease.Connection, session.Time)
                    .RunAsync(parsed.GetRequiredValue(Id), request, cancellation).ConfigureAwait(false);
                await new ImageStore(lease.Connection).PutAsync(name, ImageStore.ToWire(made), [], parsed.GetValue(Force), cancellation).ConfigureAwait(false);
                ConvertCommand.Tell(session, name, made);
            }

            return 0;
        });
        return command;
    }
}
