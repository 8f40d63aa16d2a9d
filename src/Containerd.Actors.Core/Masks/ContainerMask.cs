// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Masks;

/// <summary>
/// Field masks of containers: <c>labels</c>, <c>labels.K</c>, <c>spec</c>, <c>extensions</c>, <c>extensions.K</c>, <c>image</c>,
/// <c>snapshotkey</c>.
/// </summary>
public static class ContainerMask
{
    private const string ExtensionPrefix = "extensions.";

    /// <summary>
    /// The container after an update with this mask; without one all of these fields are replaced and a changed snapshotter or
    /// runtime is refused. Extensions are only ever added or overwritten.
    /// </summary>
    /// <remarks>Times are not touched.</remarks>
    public static Reply<ContainerRecord> Apply(ContainerRecord stored, ContainerRecord wanted, ImmutableArray<string> mask)
    {
        ContainerRecord container = stored;
        if (mask.IsDefaultOrEmpty)
        {
            if (stored.Snapshotter != wanted.Snapshotter)
            {
                return Reply.Refused<ContainerRecord>(Error.Invalid("container.Snapshotter field is immutable"));
            }

            if (stored.RuntimeName != wanted.RuntimeName)
            {
                return Reply.Refused<ContainerRecord>(Error.Invalid("container.Runtime.Name field is immutable"));
            }

            mask = ["labels", "spec", "extensions", "image", "snapshotkey"];
        }

        foreach (string path in mask)
        {
            if (LabelMask.Step(container.Labels, wanted.Labels, path) is { } labels)
            {
                container = container with { Labels = labels };
            }
            else if (path.StartsWith(ExtensionPrefix, StringComparison.Ordinal))
            {
                string key = path[ExtensionPrefix.Length..];
                if (wanted.Extensions.TryGetValue(key, out AnyValue? extension))
                {
                    container = container with { Extensions = container.Extensions.SetItem(key, extension) };
                }
            }
            else
            {
                switch (path)
                {
                    case "spec":
                        container = container with { Spec = wanted.Spec };
                        break;
                    case "extensions":
                        container = container with { Extensions = container.Extensions.SetItems(wanted.Extensions) };
                        break;
                    case "image":
                        container = container with { Image = wanted.Image };
                        break;
                    case "snapshotkey":
                        container = container with { SnapshotKey = wanted.SnapshotKey };
                        break;
                    default:
                        return Reply.Refused<ContainerRecord>(Error.Invalid($"cannot update \"{path}\" field on \"{stored.Id}\""));
                }
            }
        }

        return Reply.Done(container);
    }
}
