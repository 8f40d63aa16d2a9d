// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Restarts;

/// <summary>When a task that is to run and does not is started again.</summary>
/// <param name="Name"><c>no</c>, <c>always</c>, <c>on-failure</c> or <c>unless-stopped</c>.</param>
/// <param name="CountMax">Most restarts of <c>on-failure</c>; 0 for any number.</param>
public sealed record RestartPolicy(string Name, int CountMax = 0)
{
    /// <summary>The names of all policies, as introspection tells them.</summary>
    public static ImmutableArray<string> Names { get; } = ["no", "always", "on-failure", "unless-stopped"];

    /// <summary>Reads the value of the label.</summary>
    public static Reply<RestartPolicy> Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? text : text[..colon];
        if (name is not ("" or "no" or "always" or "unless-stopped" or "on-failure"))
        {
            return Refused($"restart policy \"{text}\" not supported");
        }

        if (colon < 0)
        {
            return Reply.Done(new RestartPolicy(name.Length == 0 ? "always" : name));
        }

        string count = text[(colon + 1)..].Split(':')[0];
        if (name != "on-failure")
        {
            return Refused($"restart policy \"{name}\" not support max retry count");
        }

        return int.TryParse(count, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int max)
            ? Reply.Done(new RestartPolicy(name, max))
            : Refused($"invalid max retry count: {count}");
    }

    /// <summary>Whether a task that is to run and does not is started again.</summary>
    /// <param name="labels">Labels of the container.</param>
    /// <param name="exitStatus">How its task ended; 0 when there is none.</param>
    public bool Restarts(ImmutableSortedDictionary<string, string> labels, uint exitStatus) => Name switch
    {
        "always" => true,
        "on-failure" => exitStatus != 0 && IsCount(labels, out int count) && (CountMax <= 0 || count < CountMax),
        "unless-stopped" => !IsTrue(labels.GetValueOrDefault(RestartLabels.ExplicitlyStopped, "")),
        _ => false,
    };

    /// <summary>The policy as the label says it.</summary>
    public override string ToString() =>
        CountMax > 0 ? string.Create(CultureInfo.InvariantCulture, $"{Name}:{CountMax}") : Name;

    // A label that counts nothing readable stands for no restart at all: better none than one without an end.
    private static bool IsCount(ImmutableSortedDictionary<string, string> labels, out int count)
    {
        string text = labels.GetValueOrDefault(RestartLabels.Count, "");
        count = 0;
        return text.Length == 0 || int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out count);
    }

    // strconv.ParseBool's words.
    private static bool IsTrue(string text) => text is "1" or "t" or "T" or "TRUE" or "true" or "True";

    private static Reply<RestartPolicy> Refused(string message) => Reply.Refused<RestartPolicy>(Error.Unknown(message));
}
