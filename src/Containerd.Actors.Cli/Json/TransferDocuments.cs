// SPDX-License-Identifier: Apache-2.0

using Containerd.Types.Transfer;

namespace Containerd.Actors.Cli.Json;

/// <summary>One step of a push, an import or an export; <c>--json</c> prints a line for each, in the daemon's words.</summary>
internal sealed record TransferDocument(string Event, string? Name, IReadOnlyList<string>? Parents, string? Digest, long? Progress, long? Total)
{
    public static TransferDocument From(Progress step) => new(
        step.Event,
        step.Name.Length > 0 ? step.Name : null,
        step.Parents.Count > 0 ? [.. step.Parents] : null,
        step.Desc?.Digest,
        step.Total > 0 ? step.Progress_ : null,
        step.Total > 0 ? step.Total : null);
}

/// <summary>What <c>cactl convert</c>, <c>commit</c> and <c>tag</c> print with <c>--json</c>.</summary>
internal sealed record MadeImageDocument(string Name, string Digest, string MediaType);
