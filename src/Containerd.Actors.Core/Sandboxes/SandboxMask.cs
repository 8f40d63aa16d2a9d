// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Masks;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Sandboxes;

/// <summary>
/// Field masks of sandboxes: <c>labels</c>, <c>labels.K</c>, <c>extensions</c>, <c>extensions.K</c>, <c>runtime</c>, <c>spec</c>.
/// </summary>
public static class SandboxMask
{
    private const string ExtensionPrefix = "extensions.";

    /// <summary>
    /// The sandbox after an update with this mask; without one all of these fields are replaced and a changed runtime is refused.
    /// Extensions are only ever added or overwritten.
    /// </summary>
    public static Reply<SandboxRecord> Apply(SandboxRecord stored, SandboxRecord wanted, ImmutableArray<string> mask)
    {
        if (mask.IsDefaultOrEmpty)
        {
            if (stored.RuntimeName != wanted.RuntimeName)
            {
                return Reply.Refused<SandboxRecord>(Error.Invalid("sandbox.Runtime.Name field is immutable"));
            }

            mask = ["labels", "extensions", "spec", "runtime"];
        }

        SandboxRecord sandbox = stored;
        foreach (string path in mask)
        {
            if (LabelMask.Step(sandbox.Labels, wanted.Labels, path) is { } labels)
            {
                sandbox = sandbox with { Labels = LabelRules.Kept(labels) };
            }
            else if (path.StartsWith(ExtensionPrefix, StringComparison.Ordinal))
            {
                string key = path[ExtensionPrefix.Length..];
                if (wanted.Extensions.TryGetValue(key, out AnyValue? extension))
                {
                    sandbox = sandbox with { Extensions = sandbox.Extensions.SetItem(key, extension) };
                }
            }
            else
            {
                switch (path)
                {
                    case "extensions":
                        sandbox = sandbox with { Extensions = sandbox.Extensions.SetItems(wanted.Extensions) };
                        break;
                    case "runtime":
                        sandbox = sandbox with { RuntimeName = wanted.RuntimeName, RuntimeOptions = wanted.RuntimeOptions };
                        break;
                    case "spec":
                        sandbox = sandbox with { Spec = wanted.Spec };
                        break;
                    default:
                        return Reply.Refused<SandboxRecord>(Error.Invalid($"cannot update \"{path}\" field on sandbox \"{stored.Id}\""));
                }
            }
        }

        return Reply.Done(sandbox);
    }
}
