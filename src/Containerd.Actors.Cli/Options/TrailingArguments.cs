// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;

namespace Containerd.Actors.Cli.Options;

/// <summary>Marks where the command of <c>run</c> and <c>exec</c> begins, so that its options stay its own.</summary>
/// <remarks>
/// In <c>cactl run -i IMAGE sh -c ls</c> everything behind IMAGE belongs to the process. The parser knows only <c>--</c> as such a
/// border, so one is put in behind the verb's first argument unless the user wrote it.
/// </remarks>
internal static class TrailingArguments
{
    /// <summary>The arguments with the border put in where <paramref name="verbs"/> ask for one.</summary>
    public static string[] Separate(RootCommand root, IReadOnlyList<string> arguments, params IReadOnlyList<string> verbs)
    {
        Command command = root;
        bool insideVerb = false;
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            if (argument == "--")
            {
                break;
            }

            if (argument.Length > 1 && argument[0] == '-')
            {
                i += TakesNext(root, command, argument) ? 1 : 0;
            }
            else if (insideVerb)
            {
                return i + 1 >= arguments.Count || arguments[i + 1] == "--"
                    ? [.. arguments]
                    : [.. arguments.Take(i + 1), "--", .. arguments.Skip(i + 1)];
            }
            else if (root.Subcommands.FirstOrDefault(verb => verb.Name == argument) is { } found)
            {
                command = found;
                insideVerb = verbs.Contains(found.Name);
                if (!insideVerb)
                {
                    break;
                }
            }
        }

        return [.. arguments];
    }

    private static bool TakesNext(RootCommand root, Command command, string argument)
    {
        if (argument.Contains('=', StringComparison.Ordinal))
        {
            return false;
        }

        if (Find(root, command, argument) is { } option)
        {
            return TakesValue(option);
        }

        if (argument.StartsWith("--", StringComparison.Ordinal))
        {
            return false;
        }

        // Bundled letters, as in -it: the first one that takes a value has the rest of the token, or the next one.
        for (int i = 1; i < argument.Length; i++)
        {
            if (Find(root, command, "-" + argument[i]) is { } bundled && TakesValue(bundled))
            {
                return i == argument.Length - 1;
            }
        }

        return false;
    }

    private static bool TakesValue(Option option) => option.Arity.MinimumNumberOfValues > 0;

    private static Option? Find(RootCommand root, Command command, string alias) =>
        command.Options.Concat(root.Options).FirstOrDefault(option => option.Name == alias || option.Aliases.Contains(alias));
}
