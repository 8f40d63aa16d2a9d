// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Configuration;

namespace Containerd.Actors.Cli.Json;

/// <summary>A containerd configuration in our words; <c>cactl config import --json</c> prints one.</summary>
internal sealed record ImportDocument(IReadOnlyList<ImportedKeyDocument> Keys, IReadOnlyList<ImportRemarkDocument> Remarks)
{
    public static ImportDocument From(Translation translation) => new(
        [.. translation.Lines.Select(line => new ImportedKeyDocument(line.Key, line.Value, line.From.Written, line.From.File, line.From.Line))],
        [.. translation.Remarks.Select(remark =>
            new ImportRemarkDocument(remark.Setting.Written, remark.Reason, remark.Setting.File, remark.Setting.Line))]);
}

/// <summary>A key of ours, its value as HOCON, and the setting that it comes from.</summary>
internal sealed record ImportedKeyDocument(string Key, string Value, string From, string File, int Line);

/// <summary>A setting that is not carried over as it is, and why.</summary>
internal sealed record ImportRemarkDocument(string Setting, string Reason, string File, int Line);
