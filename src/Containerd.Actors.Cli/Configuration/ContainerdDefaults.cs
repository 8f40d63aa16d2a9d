// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;

namespace Containerd.Actors.Cli.Configuration;

/// <summary>What containerd takes a setting for when it is not set, where that is not empty, zero or false.</summary>
/// <remarks>
/// Files are often made by <c>containerd config default</c> and name everything: what says the default needs no counterpart. The
/// defaults of 1.6 to 2.3 and of Debian's packages are here, several to a setting where they differ.
/// </remarks>
internal static class ContainerdDefaults
{
    private const string Table = """
        root = "/var/lib/containerd"
        state = "/run/containerd"
        oom_score = 0
        images snapshotter = "overlayfs"
        images disable_snapshot_annotations = true
        images max_concurrent_downloads = 3
        images image_pull_progress_timeout = "5m0s" | "1m0s"
        images stats_collect_period = 10
        images image_decryption.key_model = "node"
        images pinned_images.sandbox = "registry.k8s.io/pause:3.6" | "registry.k8s.io/pause:3.8" | "registry.k8s.io/pause:3.10" | "registry.k8s.io/pause:3.10.1"
        runtime selinux_category_range = 1024
        runtime max_container_log_line_size = 16384
        runtime tolerate_missing_hugetlb_controller = true
        runtime disable_hugetlb_controller = true
        runtime enable_unprivileged_ports = true | false
        runtime enable_unprivileged_icmp = true | false
        runtime enable_cdi = true | false
        runtime cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]
        runtime drain_exec_sync_io_timeout = "0s"
        runtime containerd.default_runtime_name = "runc"
        runtime containerd.runtimes.runc.runtime_type = "io.containerd.runc.v2"
        runtime containerd.runtimes.runc.sandboxer = "podsandbox"
        runtime cni.bin_dir = "/opt/cni/bin" | "/usr/lib/cni"
        runtime cni.bin_dirs = ["/opt/cni/bin"] | ["/usr/lib/cni", "/opt/cni/bin"]
        runtime cni.conf_dir = "/etc/cni/net.d"
        runtime cni.max_conf_num = 1
        cri disable_tcp_service = true
        cri stream_server_address = "127.0.0.1"
        cri stream_server_port = "0"
        cri stream_idle_timeout = "4h0m0s"
        server.v1.grpc max_recv_message_size = 16777216
        server.v1.grpc max_send_message_size = 16777216
        server.v1.grpc-tcp max_recv_message_size = 16777216
        server.v1.grpc-tcp max_send_message_size = 16777216
        server.v1.ttrpc address = "/run/containerd/containerd.sock.ttrpc"
        image-verifier.v1.bindir bin_dir = "/opt/containerd/image-verifier/bin"
        image-verifier.v1.bindir max_verifiers = 10
        image-verifier.v1.bindir per_verifier_timeout = "10s"
        internal.v1.opt path = "/opt/containerd" | "/var/lib/containerd/opt"
        metadata.v1.bolt content_sharing_policy = "shared"
        monitor.container.v1.restart interval = "10s"
        nri.v1.nri socket_path = "/var/run/nri/nri.sock"
        nri.v1.nri plugin_path = "/opt/nri/plugins"
        nri.v1.nri plugin_config_path = "/etc/nri/conf.d"
        nri.v1.nri plugin_registration_timeout = "5s"
        nri.v1.nri plugin_request_timeout = "2s"
        nri.v1.nri disable = true | false
        runtime.v1.linux runtime = "runc"
        runtime.v1.linux shim = "containerd-shim"
        runtime.v2.task platforms = ["linux/amd64"] | ["linux/arm64"]
        service.v1.diff-service default = ["walking"] | ["walking", "erofs"] | ["erofs", "walking"]
        transfer.v1.local max_concurrent_downloads = 3
        transfer.v1.local max_concurrent_uploaded_layers = 3
        transfer.v1.local max_concurrent_unpacks = 1
        timeout bolt.open = "0s"
        timeout cri.defercleanup = "1m0s"
        timeout metrics.shimstats = "2s"
        timeout shim.cleanup = "5s"
        timeout shim.shutdown = "3s"
        decoder tar accepts = ["application/vnd.oci.image.layer.v1.tar+encrypted"]
        decoder tar returns = "application/vnd.oci.image.layer.v1.tar"
        decoder tar path = "ctd-decoder"
        decoder tar args = ["--decryption-keys-path", "/etc/containerd/ocicrypt/keys"]
        decoder tar env = ["OCICRYPT_KEYPROVIDER_CONFIG=/etc/containerd/ocicrypt/ocicrypt_keyprovider.conf"]
        decoder tar.gzip accepts = ["application/vnd.oci.image.layer.v1.tar+gzip+encrypted"]
        decoder tar.gzip returns = "application/vnd.oci.image.layer.v1.tar+gzip"
        decoder tar.gzip path = "ctd-decoder"
        decoder tar.gzip args = ["--decryption-keys-path", "/etc/containerd/ocicrypt/keys"]
        decoder tar.gzip env = ["OCICRYPT_KEYPROVIDER_CONFIG=/etc/containerd/ocicrypt/ocicrypt_keyprovider.conf"]
        """;

    private static readonly FrozenDictionary<string, string[]> Values = Table.Split('\n')
        .Select(line => line.Split(" = ", 2))
        .ToFrozenDictionary(line => Path(line[0].Split(' ')), line => line[1].Split(" | "));

    /// <summary>True if a setting says what containerd does anyway.</summary>
    public static bool Has(Setting setting) => Values.TryGetValue(setting.Path, out string[]? values)
        ? values.Contains(setting.Text) || setting.Value is ""
        : setting.IsEmpty;

    private static string Path(string[] words) => words switch
    {
        [string key] => key,
        ["images", string key] => $"plugins.\"{PluginNames.Images}\".{key}",
        ["runtime", string key] => $"plugins.\"{PluginNames.Runtime}\".{key}",
        ["cri", string key] => $"plugins.\"{PluginNames.Cri}\".{key}",
        ["timeout", string key] => $"timeouts.\"io.containerd.timeout.{key}\"",
        ["decoder", string layer, string key] => $"stream_processors.\"io.containerd.ocicrypt.decoder.v1.{layer}\".{key}",
        [string plugin, string key] => $"plugins.\"io.containerd.{plugin}\".{key}",
        _ => throw new ArgumentOutOfRangeException(nameof(words), words.Length, null),
    };
}
