// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Terminals;
using Containerd.Actors.Cli.Transfers;
using Containerd.Types.Transfer;
using ImageReference = Containerd.Actors.Oci.References.ImageReference;
using WireStore = Containerd.Types.Transfer.ImageStore;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl push</c>: has the daemon bring an image to a registry.</summary>
internal static class PushCommand
{
    private static readonly Argument<string> Image = new("IMAGE") { Description = "Name of the image here" };
    private static readonly Argument<string?> Reference = new("REF") { Description = "Where it goes (default: its name)", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> PlainHttp = new("--plain-http") { Description = "Speak http to the registry" };
    private static readonly Option<string[]> Platform = PlatformOptions.Several("Push the image of this platform instead of the whole index");
    private static readonly Option<string> HostsDirectory = new("--hosts-dir") { Description = "Directory of hosts.toml files", HelpName = "DIR" };
    private static readonly Option<string> User = new("--user", "-u") { Description = "Credentials; the secret is asked for when left out", HelpName = "NAME[:SECRET]" };

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("push", "Push an image to a registry") { Image, Reference, PlainHttp, Platform, HostsDirectory, User };
        command.Act(globals, parsed => parsed.GetValue(Image) ?? "", async (session, parsed, cancellation) =>
        {
            string image = parsed.GetRequiredValue(Image);
            WireStore source = new() { Name = image };
            source.Platforms.AddRange(PlatformOptions.Read(parsed, Platform).Select(PlatformOptions.ToWire));
            OCIRegistry destination = Registry(parsed, image);
            Func<AuthRequest, AuthResponse>? credentials = Credentials(parsed, destination.Reference, session.Error);
            await new ShownTransfer(session, destination.Reference, "pushing")
                .RunAsync(transfer => transfer.PushAsync(source, destination, credentials, cancellation)).ConfigureAwait(false);
            return 0;
        });
        return command;
    }

    /// <summary>Where the image goes.</summary>
    internal static OCIRegistry Registry(ParseResult parsed, string image) => new()
    {
        Reference = parsed.GetValue(Reference) ?? image,
        Resolver = new RegistryResolver
        {
            DefaultScheme = parsed.GetValue(PlainHttp) ? "http" : "",
            HostDir = parsed.GetValue(HostsDirectory) is { } directory ? Path.GetFullPath(directory) : "",
        },
    };

    /// <summary>What the daemon is answered when it asks who pushes; credentials are for the registry of the reference alone.</summary>
    internal static Func<AuthRequest, AuthResponse>? Credentials(ParseResult parsed, string reference, TextWriter prompt)
    {
        (string name, string secret) = Pairs.ParseCredentials(parsed.GetValue(User));
        if (name.Length == 0)
        {
            return null;
        }

        if (secret.Length == 0)
        {
            secret = SecretPrompt.Ask(prompt, $"secret of {name}: ");
        }

        ImageReference parsedReference = ImageReference.Parse(reference);
        return question => question.Host == parsedReference.Host || question.Host == parsedReference.RegistryHost
            ? new AuthResponse { AuthType = AuthType.Credentials, Username = name, Secret = secret }
            : new AuthResponse { AuthType = AuthType.None };
    }
}
