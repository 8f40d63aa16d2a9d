// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Cli.Commands;
using Containerd.Actors.Cli.Options;

namespace Containerd.Actors.Cli;

/// <summary>All verbs of cactl.</summary>
internal static class CommandTree
{
    /// <summary>Verbs behind whose first argument everything belongs to a process.</summary>
    private static readonly string[] ProcessVerbs = ["run", "exec"];

    /// <summary>The root command with every verb. There is one: options know the commands that they belong to.</summary>
    public static RootCommand Root { get; } = Build();

    /// <summary>Parses a command line; what belongs to a container's process is left alone.</summary>
    public static ParseResult Parse(IReadOnlyList<string> arguments) =>
        Root.Parse(TrailingArguments.Separate(Root, arguments, ProcessVerbs));

    private static RootCommand Build()
    {
        var globals = new GlobalOptions();
        return new RootCommand("Containers, images and the journal of a containerd-actors daemon")
        {
            globals.Address,
            globals.Namespace,
            globals.Json,
            PullCommand.Build(globals),
            PushCommand.Build(globals),
            ImagesCommand.Build(globals),
            TagCommand.Build(globals),
            ImportCommand.Build(globals),
            ExportCommand.Build(globals),
            ConvertCommand.Build(globals),
            CommitCommand.Build(globals),
            RunCommand.Build(globals),
            PsCommand.Build(globals),
            ExecCommand.Build(globals),
            LogsCommand.Build(globals),
            StopCommand.Build(globals),
            KillCommand.Build(globals),
            RmCommand.Build(globals),
            InspectCommand.Build(globals),
            EventsCommand.Build(globals),
            TreeCommand.Build(globals),
            GcCommand.Build(globals),
            WhyCommand.Build(globals),
            AuditCommand.Build(globals),
            ConfigCommand.Build(globals),
        };
    }
}
