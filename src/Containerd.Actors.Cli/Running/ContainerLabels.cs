// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Running;

/// <summary>Labels on containers that cactl writes and reads.</summary>
internal static class ContainerLabels
{
    /// <summary>Where the output of a detached container goes.</summary>
    public const string LogPath = "containerd-actors/log-path";

    /// <summary>The image's stop signal; containerd's clients read it too.</summary>
    public const string StopSignal = "io.containerd.image.config.stop-signal";

    private const int BytesMax = 4096;

    /// <summary>The labels a client copies from an image: not containerd's own, nor Kubernetes's, nor what is too long.</summary>
    public static IEnumerable<KeyValuePair<string, string>> OfImage(IEnumerable<KeyValuePair<string, string>> labels) =>
        labels.Where(label => !label.Key.StartsWith("containerd.io/", StringComparison.Ordinal)
            && !label.Key.StartsWith("io.cri-containerd", StringComparison.Ordinal)
            && System.Text.Encoding.UTF8.GetByteCount(label.Key + label.Value) <= BytesMax);
}
