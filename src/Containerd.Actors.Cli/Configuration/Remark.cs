// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Configuration;

/// <summary>What is to be said of a setting that is not carried over as it is. Values are left out: some are secrets.</summary>
internal sealed record Remark(Setting Setting, string Reason)
{
    /// <summary>The line on standard error.</summary>
    public string Line => $"{Setting.Place}: {Setting.Written}: {Reason}";
}
