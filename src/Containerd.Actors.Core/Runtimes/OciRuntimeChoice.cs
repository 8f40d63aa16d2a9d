// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Core.Runtimes;

/// <summary>Which OCI runtime tasks get that name none, and why; made step by step as runtimes are tried.</summary>
/// <param name="Chosen">Name or path; empty while undecided, and for leaving it to the shim.</param>
/// <param name="Next">What to try next; null when it is decided.</param>
/// <param name="Rejected">What was tried and does not work, with the reason.</param>
public sealed record OciRuntimeChoice(string Chosen, string? Next, ImmutableArray<(string Candidate, string Reason)> Rejected)
{
    private ImmutableArray<string> Left { get; init; } = [];

    /// <summary>Begins: a single candidate is what the configuration wants and is not tried, none leaves it to the shim.</summary>
    public static OciRuntimeChoice Among(ImmutableArray<string> candidates) => candidates switch
    {
        [] => new OciRuntimeChoice("", null, []),
        [string only] => new OciRuntimeChoice(only, null, []),
        [string first, .. ImmutableArray<string> left] => new OciRuntimeChoice("", first, []) { Left = left },
    };

    /// <summary>After a candidate was tried.</summary>
    /// <param name="candidate">What was tried.</param>
    /// <param name="problem">Why it does not work; null when it does.</param>
    public OciRuntimeChoice After(string candidate, string? problem) => problem is null
        ? this with { Chosen = candidate, Next = null }
        : this with { Next = Left.FirstOrDefault(), Left = Left.IsEmpty ? [] : Left.RemoveAt(0), Rejected = Rejected.Add((candidate, problem)) };

    /// <summary>The choice and its reasons in one line.</summary>
    public override string ToString()
    {
        string rejected = string.Join("; ", Rejected.Select(each => $"{each.Candidate} does not work: {each.Reason}"));
        string chosen = Chosen.Length > 0 ? $"OCI runtime is {Chosen}" : "no OCI runtime was found to work, shims use their own default";
        return rejected.Length > 0 ? $"{chosen}; {rejected}" : chosen;
    }
}
