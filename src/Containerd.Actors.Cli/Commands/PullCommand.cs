// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Pulling;
using Containerd.Actors.Cli.Terminals;
using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl pull</c>: has the daemon fetch and unpack an image.</summary>
internal static class PullCommand
{
    private static readonly Argument<string> Reference = new("REF") { Description = "Image with its registry, for example docker.io/library/redis:7" };
    private static readonly Option<bool> PlainHttp = new("--plain-http") { Description = "Speak http to the registry" };
    private static readonly Option<string> Platform = new("--platform") { Description = "Platform to pull for (default: this host's)", HelpName = "OS/ARCH" };
    private static readonly Option<string> Snapshotter = new("--snapshotter") { Description = "Snapshotter to unpack into", HelpName = "NAME" };
    private static readonly Option<string> HostsDirectory = new("--hosts-dir") { Description = "Directory of hosts.toml files", HelpName = "DIR" };
    private static readonly Option<string> User = new("--user", "-u") { Description = "Credentials; the secret is asked for when left out", HelpName = "NAME[:SECRET]" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("pull", "Pull an image") { Reference, PlainHttp, Platform, Snapshotter, HostsDirectory, User };
        command.Act(globals, parsed => parsed.GetValue(Reference) ?? "", async (session, parsed, cancellation) =>
        {
            PullRequest request = Read(parsed, session.Error);
            string digest = await new ImagePull(session.Connection, session.Out, Native.StandardOutput, session.Json)
                .ExecuteAsync(request, cancellation).ConfigureAwait(false);
            if (!session.Json)
            {
                await session.Out.WriteLineAsync(digest).ConfigureAwait(false);
            }

            return 0;
        });
        return command;
    }

    internal static PullRequest Read(ParseResult parsed, TextWriter prompt)
    {
        (string name, string secret) = Pairs.ParseCredentials(parsed.GetValue(User));
        if (name.Length > 0 && secret.Length == 0)
        {
            secret = SecretPrompt.Ask(prompt, $"secret of {name}: ");
        }

        return new PullRequest
        {
            Reference = parsed.GetRequiredValue(Reference),
            PlainHttp = parsed.GetValue(PlainHttp),
            Platform = parsed.GetValue(Platform) ?? "",
            Snapshotter = parsed.GetValue(Snapshotter) ?? "",
            HostsDir = parsed.GetValue(HostsDirectory) is { } directory ? Path.GetFullPath(directory) : "",
            Username = name,
            Secret = secret,
        };
    }
}
