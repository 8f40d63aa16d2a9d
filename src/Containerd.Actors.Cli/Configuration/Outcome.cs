// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Configuration;

/// <summary>What becomes of a setting.</summary>
internal abstract record Outcome
{
    private Outcome()
    {
    }

    /// <summary>It says what holds anyway.</summary>
    public sealed record Passed : Outcome
    {
        public static Passed Over { get; } = new();
    }

    /// <summary>It is carried over; a remark goes with it where it does not mean quite the same.</summary>
    public sealed record Carried(string Key, string Value, string? Remark = null) : Outcome;

    /// <summary>It has no counterpart.</summary>
    public sealed record Left(string Reason) : Outcome;
}
