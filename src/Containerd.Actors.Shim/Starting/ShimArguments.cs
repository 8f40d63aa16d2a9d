// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Shim.Starting;

/// <summary>What an invocation of the shim is to do.</summary>
internal enum ShimAction
{
    /// <summary>Serve the task API and the sandbox API; what <c>start</c> runs.</summary>
    Serve,

    /// <summary>Wait for the daemon at the other end of descriptor 3 to say which task to serve.</summary>
    Await,

    /// <summary>Start a server, or find that of the group, and print how it is reached.</summary>
    Start,

    /// <summary>Clean up after a server that is gone and print how the task ended.</summary>
    Delete,

    /// <summary>Print what the runtime can do.</summary>
    Info,

    /// <summary>Print the version.</summary>
    Version,
}

/// <summary>The command line, in Go's manner of flags: one dash or two, <c>-flag value</c> or <c>-flag=value</c>, the action last.</summary>
internal sealed record ShimArguments
{
    /// <summary>What to do.</summary>
    public ShimAction Action { get; private init; }

    /// <summary>The containerd namespace.</summary>
    public string Namespace { get; private init; } = "";

    /// <summary>The task.</summary>
    public string Id { get; private init; } = "";

    /// <summary>The daemon's gRPC address.</summary>
    public string Address { get; private init; } = "";

    /// <summary>The bundle; the working directory unless told.</summary>
    public string Bundle { get; private init; } = "";

    /// <summary>Whether to log more.</summary>
    public bool IsDebug { get; private init; }

    /// <summary>Reads the command line.</summary>
    /// <exception cref="FormatException">A flag or an action is not known, or a value is missing.</exception>
    public static ShimArguments Parse(IReadOnlyList<string> arguments)
    {
        ShimArguments parsed = new();
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            if (!argument.StartsWith('-'))
            {
                parsed = parsed with { Action = ActionOf(argument) };
                continue;
            }

            string[] flag = argument.TrimStart('-').Split('=', 2);
            parsed = flag[0] switch
            {
                "v" or "version" => parsed with { Action = ShimAction.Version },
                "info" => parsed with { Action = ShimAction.Info },
                "debug" => parsed with { IsDebug = true },
                "namespace" => parsed with { Namespace = Value(flag) },
                "id" => parsed with { Id = Value(flag) },
                "address" => parsed with { Address = Value(flag) },
                "bundle" => parsed with { Bundle = Value(flag) },
                // The binary that publishes events is not used: they go over ttrpc. Sockets come as descriptors. Room is for a longer
                // command line, which a shim that waits shows once it has a task.
                "publish-binary" or "socket" or "debug-socket" or "room" => Ignored(flag),
                _ => throw new FormatException($"flag provided but not defined: -{flag[0]}"),
            };

            ShimArguments Ignored(string[] given)
            {
                Value(given);
                return parsed;
            }

            string Value(string[] given) => given.Length > 1
                ? given[1]
                : ++i < arguments.Count ? arguments[i] : throw new FormatException($"flag needs an argument: -{given[0]}");
        }

        bool isNobodys = parsed.Action is ShimAction.Version or ShimAction.Info or ShimAction.Await;
        return isNobodys || (parsed.Namespace.Length > 0 && parsed.Id.Length > 0)
            ? parsed
            : throw new FormatException("shim namespace and id cannot be empty");
    }

    private static ShimAction ActionOf(string word) => word switch
    {
        "start" => ShimAction.Start,
        "delete" => ShimAction.Delete,
        "await" => ShimAction.Await,
        _ => throw new FormatException($"unknown action {word}"),
    };
}
