// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Akka.Configuration;
using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Daemon.Hosting;
using Containerd.Actors.Protocol.Errors;

Option<string?> address = new("--address", "-a") { Description = "unix socket of the gRPC API" };
Option<string?> root = new("--root") { Description = "directory of what outlives a reboot" };
Option<string?> state = new("--state") { Description = "directory of what need not outlive a reboot" };
Option<string?> config = new("--config", "-c") { Description = "HOCON file of overrides" };
Option<string?> logLevel = new("--log-level", "-l") { Description = "trace, debug, info, warn or error" };

RootCommand command = new("A container runtime daemon: a drop-in for containerd built of actors.") { address, root, state, config, logLevel };
command.SetAction(async (parsed, cancellationToken) =>
{
    try
    {
        CommandLine line = new(
            parsed.GetValue(address), parsed.GetValue(root), parsed.GetValue(state), parsed.GetValue(config), parsed.GetValue(logLevel));
        return await DaemonHost.RunAsync(Hocon.Load(line), cancellationToken);
    }
    catch (Exception e) when (e is ConfigurationException or RefusedException or IOException or UnauthorizedAccessException)
    {
        await Console.Error.WriteLineAsync($"containerd-actors: {e.Message}");
        return 1;
    }
});
command.Subcommands.Add(PublishCommand.Create(address));
return await command.Parse(args).InvokeAsync();
