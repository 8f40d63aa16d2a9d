// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Namespaces;

/// <summary>The rule for names of namespaces, containers, tasks, execs, sandboxes and the parts of topics.</summary>
public static partial class Identifiers
{
    /// <summary>Longest identifier in characters.</summary>
    public const int LengthMax = 76;

    private const string Pattern = "^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$";

    /// <summary>Null when the text is an identifier, otherwise why not.</summary>
    public static Error? Validate(string text)
    {
        if (text.Length == 0)
        {
            return Error.Invalid("identifier must not be empty");
        }

        if (text.Length > LengthMax)
        {
            return Error.Invalid($"identifier \"{text}\" greater than maximum length ({LengthMax} characters)");
        }

        return Shape().IsMatch(text) && !text.EndsWith('\n') ? null : Error.Invalid($"identifier \"{text}\" must match {Pattern}");
    }

    [GeneratedRegex(Pattern, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Shape();
}
