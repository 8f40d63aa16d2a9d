// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Configuration;

/// <summary>What the settings of older versions are called in version 4.</summary>
/// <remarks>
/// Version 3 took the CRI plugin apart and renamed the monitors; version 4 made plugins of the listeners. containerd's
/// containerd-config.toml(5).
/// </remarks>
internal static class PluginNames
{
    public const string Content = "io.containerd.content.v1.content";
    public const string Images = "io.containerd.cri.v1.images";
    public const string Runtime = "io.containerd.cri.v1.runtime";
    public const string Cri = "io.containerd.grpc.v1.cri";
    public const string Grpc = "io.containerd.server.v1.grpc";
    public const string GrpcTcp = "io.containerd.server.v1.grpc-tcp";
    public const string Ttrpc = "io.containerd.server.v1.ttrpc";
    public const string Debug = "io.containerd.server.v1.debug";
    public const string Metrics = "io.containerd.server.v1.metrics";

    private static readonly Dictionary<string, string> Renamed = new()
    {
        ["io.containerd.internal.v1.restart"] = "io.containerd.monitor.container.v1.restart",
        ["io.containerd.monitor.v1.cgroups"] = "io.containerd.monitor.task.v1.cgroups",
    };

    // The rest of the old CRI plugin is the runtime's.
    private static readonly HashSet<string> OfStreaming =
        ["disable_tcp_service", "stream_server_address", "stream_server_port", "stream_idle_timeout", "enable_tls_streaming", "x509_key_pair_streaming"];

    private static readonly HashSet<string> OfImages =
        ["registry", "image_decryption", "max_concurrent_downloads", "image_pull_progress_timeout", "image_pull_with_sync_fs", "stats_collect_period"];

    private static readonly HashSet<string> OfImagesBelowContainerd =
        ["snapshotter", "disable_snapshot_annotations", "discard_unpacked_layers"];

    /// <summary>The parts of a path as version 4 has them.</summary>
    public static string[] Newest(string[] path) => path switch
    {
        ["grpc", "tcp_address"] => ["plugins", GrpcTcp, "address"],
        ["grpc", ['t', 'c', 'p', '_', .. var key]] => ["plugins", GrpcTcp, key],
        ["grpc", string key] => ["plugins", Grpc, key],
        ["ttrpc", string key] => ["plugins", Ttrpc, key],
        ["debug", "level" or "format"] => path,
        ["debug", string key] => ["plugins", Debug, key],
        ["plugins", Debug, ("level" or "format") and string key] => ["debug", key],
        ["metrics", "grpc_histogram"] => ["plugins", "io.containerd.metrics.v1.grpc-prometheus", "grpc_histogram"],
        ["metrics", string key] => ["plugins", Metrics, key],
        ["plugins", Cri, "sandbox_image"] => ["plugins", Images, "pinned_images", "sandbox"],
        ["plugins", Cri, "containerd", string key] when OfImagesBelowContainerd.Contains(key) => ["plugins", Images, key],
        ["plugins", Cri, string key, ..] when OfStreaming.Contains(key) => path,
        ["plugins", Cri, string key, .. var rest] when OfImages.Contains(key) => ["plugins", Images, key, .. rest],
        ["plugins", Cri, .. var rest] => ["plugins", Runtime, .. rest],
        ["plugins", string plugin, .. var rest] when Renamed.TryGetValue(plugin, out string? name) => ["plugins", name, .. rest],
        _ => path,
    };
}
