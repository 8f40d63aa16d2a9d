// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Masks;

/// <summary>Field masks of images: <c>labels</c>, <c>labels.K</c>, <c>target</c>, <c>annotations</c>, <c>annotations.K</c>.</summary>
public static class ImageMask
{
    private const string AnnotationPrefix = "annotations.";

    /// <summary>The image after an update with this mask; without one, target and labels are replaced.</summary>
    /// <remarks>Times are not touched, and what comes out is not validated here.</remarks>
    public static Reply<ImageRecord> Apply(
        ImageRecord stored, Descriptor? target, ImmutableSortedDictionary<string, string> labels, ImmutableArray<string> mask)
    {
        if (mask.IsDefaultOrEmpty)
        {
            return target is null ? NoTarget(stored) : Reply.Done(stored with { Target = target, Labels = LabelRules.Kept(labels) });
        }

        ImageRecord image = stored;
        foreach (string path in mask)
        {
            if (LabelMask.Step(image.Labels, labels, path) is { } next)
            {
                image = image with { Labels = next };
            }
            else if (path == "target")
            {
                if (target is null)
                {
                    return NoTarget(stored);
                }

                image = image with { Target = target };
            }
            else if (path == "annotations")
            {
                image = image with { Target = image.Target with { Annotations = target?.Annotations } };
            }
            else if (path.StartsWith(AnnotationPrefix, StringComparison.Ordinal))
            {
                ImmutableSortedDictionary<string, string> annotations = LabelMask.Step(
                    image.Target.Annotations ?? Protocol.Values.Labels.None, target?.Annotations ?? Protocol.Values.Labels.None, path, AnnotationPrefix);
                image = image with { Target = image.Target with { Annotations = annotations.IsEmpty ? null : annotations } };
            }
            else
            {
                return Reply.Refused<ImageRecord>(Error.Invalid($"cannot update \"{path}\" field on image \"{stored.Name}\""));
            }
        }

        return Reply.Done(image);
    }

    private static Reply<ImageRecord> NoTarget(ImageRecord stored) =>
        Reply.Refused<ImageRecord>(Error.Invalid($"image \"{stored.Name}\": target is required"));
}
