// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Errors;

/// <summary>A failure that is told to the user in one line: what failed, how, and the next step if there is an obvious one.</summary>
internal sealed class CliFailure(string subject, string what, string? hint = null, int? exitCode = null) : Exception(what)
{
    /// <summary>The object, for example an id, a reference or a path; may be empty.</summary>
    public string Subject { get; } = subject;

    /// <summary>What to do next; null if nothing is obvious.</summary>
    public string? Hint { get; } = hint;

    /// <summary>The exit code; null for the verb's own code for failures.</summary>
    public int? ExitCode { get; } = exitCode;

    /// <summary>The line on standard error.</summary>
    public string Line
    {
        get
        {
            string text = Subject.Length == 0 || Names(Message, Subject)
                ? Message
                : $"{Subject}: {Message}";
            string line = Hint is null ? text : $"{text}: {Hint}";
            return "cactl: " + line.ReplaceLineEndings(" ").Trim();
        }
    }

    // As a word of its own: the id "x" is not named by "exists".
    private static bool Names(string text, string subject)
    {
        for (int at = text.IndexOf(subject, StringComparison.Ordinal); at >= 0; at = text.IndexOf(subject, at + 1, StringComparison.Ordinal))
        {
            int end = at + subject.Length;
            if ((at == 0 || !char.IsLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsLetterOrDigit(text[end])))
            {
                return true;
            }
        }

        return false;
    }
}
