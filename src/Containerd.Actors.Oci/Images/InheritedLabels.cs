// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Containerd.Actors.Oci.Images;

/// <summary>What a container has of its image in its labels.</summary>
public static class InheritedLabels
{
    /// <summary>The image's stop signal; containerd's clients read it too.</summary>
    public const string StopSignal = "io.containerd.image.config.stop-signal";

    // Labels that say what becomes of a container are not the image's to set.
    private static readonly string[] Reserved = ["containerd.io/", "io.cri-containerd", "containerd-actors/"];
    private const int BytesMax = 4096;

    /// <summary>The image's labels that containers get, and its stop signal: what is reserved or too long is left out.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Of(ContainerConfig image)
    {
        ArgumentNullException.ThrowIfNull(image);
        IEnumerable<KeyValuePair<string, string>> labels = (image.Labels ?? new Dictionary<string, string>())
            .Where(label => !Reserved.Any(prefix => label.Key.StartsWith(prefix, StringComparison.Ordinal)))
            .Where(label => Encoding.UTF8.GetByteCount(label.Key + label.Value) <= BytesMax);
        return image.StopSignal is { Length: > 0 } signal ? labels.Append(KeyValuePair.Create(StopSignal, signal)) : labels;
    }
}
