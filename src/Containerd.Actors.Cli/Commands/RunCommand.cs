// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Cli.Running;

namespace Containerd.Actors.Cli.Commands;

/// <summary><c>cactl run</c>: runs a command in a new container.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> Image = new("IMAGE") { Description = "Image; pulled if it is missing and named with its registry" };
    private static readonly Argument<string[]> CommandLine = new("CMD") { Description = "Command and arguments (default: the image's)", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<bool> Detach = new("--detach", "-d") { Description = "Print the id and leave the container running" };
    private static readonly Option<bool> Tty = new("--tty", "-t") { Description = "Give the process a terminal" };
    private static readonly Option<bool> Interactive = new("--interactive", "-i") { Description = "Pass standard input on" };
    private static readonly Option<bool> Remove = new("--rm") { Description = "Remove the container when it has ended" };
    private static readonly Option<bool> Timings = new("--timings") { Description = "Print to standard error how long each stage took" };
    private static readonly Option<string[]> Variables = Many("--env", "-e", "KEY[=VALUE]", "Environment variable; a key alone is passed on");
    private static readonly Option<string[]> Mounts = Many("--mount", null, "type=,src=,dst=,options=", "Mount; type bind unless given");
    private static readonly Option<string[]> Volumes = Many("--volume", "-v", "SRC:DST[:ro]", "Path of the host in the container");
    private static readonly Option<string> Memory = One("--memory", "-m", "SIZE", "Most memory, for example 64m");
    private static readonly Option<string> Cpus = One("--cpus", null, "N", "Most processors, for example 0.5");
    private static readonly Option<string> Name = One("--name", null, "ID", "Id of the container (default: random)");
    private static readonly Option<string> Runtime = One("--runtime", null, "NAME", "Runtime of the shim (default: io.containerd.runc.v2)");
    private static readonly Option<string> RuncBinary = One("--runc-binary", null, "NAME", "OCI runtime, for example crun");
    private static readonly Option<string> Snapshotter = One("--snapshotter", null, "NAME", "Snapshotter (default: overlayfs)");
    private static readonly Option<bool> HostNetwork = new("--net-host") { Description = "Share the host's network" };
    private static readonly Option<bool> ReadOnly = new("--read-only") { Description = "Make the root file system read-only" };
    private static readonly Option<string> WorkingDirectory = One("--workdir", "-w", "DIR", "Working directory");
    private static readonly Option<string> User = One("--user", "-u", "USER[:GROUP]", "User, by name or number");
    private static readonly Option<bool> Privileged = new("--privileged") { Description = "All capabilities, all devices, nothing masked" };
    private static readonly Option<string> Entrypoint = One("--entrypoint", null, "CMD", "Instead of the image's entry point");
    private static readonly Option<string[]> Labels = Many("--label", "-l", "KEY=VALUE", "Label on the container");
    private static readonly Option<string> LogPath = One("--log-path", null, "FILE", "Where the output of -d goes");

    public static Command Build(GlobalOptions globals)
    {
        var command = new Command("run", "Run a command in a new container")
        {
            Image, CommandLine, Detach, Tty, Interactive, Remove, Variables, Mounts, Volumes, Memory, Cpus, Name, Runtime,
            RuncBinary, Snapshotter, HostNetwork, ReadOnly, WorkingDirectory, User, Privileged, Entrypoint, Labels, LogPath, Timings,
        };
        command.Act(
            globals,
            parsed => parsed.GetValue(Image) ?? "",
            (session, parsed, cancellation) => new ContainerRun(session, Read(parsed)).ExecuteAsync(cancellation),
            ExitCodes.NoProcess);
        return command;
    }

    internal static RunRequest Read(ParseResult parsed)
    {
        bool detached = parsed.GetValue(Detach);
        string? conflict = !detached ? null
            : parsed.GetValue(Tty) ? "-t"
            : parsed.GetValue(Interactive) ? "-i"
            : parsed.GetValue(Remove) ? "--rm"
            : null;
        if (conflict is not null)
        {
            throw new CliFailure("run", $"{conflict} needs the foreground", "drop -d");
        }

        string image = parsed.GetRequiredValue(Image);
        return new RunRequest(image, parsed.GetValue(CommandLine) ?? [])
        {
            Detached = detached,
            Terminal = parsed.GetValue(Tty),
            Interactive = parsed.GetValue(Interactive),
            Remove = parsed.GetValue(Remove),
            Timings = parsed.GetValue(Timings),
            Environment = ReadVariables(parsed.GetValue(Variables)),
            Mounts =
            [
                .. (parsed.GetValue(Mounts) ?? []).Select(BindMount.ParseMount),
                .. (parsed.GetValue(Volumes) ?? []).Select(BindMount.ParseVolume),
            ],
            MemoryBytes = parsed.GetValue(Memory) is { } memory ? Quantities.ParseBytes(memory) : null,
            CpuQuota = parsed.GetValue(Cpus) is { } cpus ? Quantities.ParseCpus(cpus) : null,
            Name = parsed.GetValue(Name),
            Runtime = parsed.GetValue(Runtime) ?? "io.containerd.runc.v2",
            RuncBinary = parsed.GetValue(RuncBinary) ?? "",
            Snapshotter = parsed.GetValue(Snapshotter) ?? "overlayfs",
            HostNetwork = parsed.GetValue(HostNetwork),
            ReadOnly = parsed.GetValue(ReadOnly),
            WorkingDirectory = parsed.GetValue(WorkingDirectory),
            User = parsed.GetValue(User),
            Privileged = parsed.GetValue(Privileged),
            Entrypoint = parsed.GetValue(Entrypoint),
            Labels = [.. (parsed.GetValue(Labels) ?? []).Select(Pairs.ParseLabel)],
            LogPath = parsed.GetValue(LogPath),
        };
    }

    /// <summary>The variables as <c>KEY=VALUE</c>, those that are passed on with cactl's own values.</summary>
    internal static IReadOnlyList<string> ReadVariables(IEnumerable<string>? variables) =>
        [.. (variables ?? []).Select(text => Pairs.ParseEnvironment(text, Environment.GetEnvironmentVariable)).OfType<string>()];

    internal static Option<string[]> Many(string name, string? alias, string value, string description) =>
        new(name, alias is null ? [] : [alias]) { Description = description, HelpName = value, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };

    internal static Option<string> One(string name, string? alias, string value, string description) =>
        new(name, alias is null ? [] : [alias]) { Description = description, HelpName = value };
}
