// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;
using Containerd.Actors.Registry;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Fetching;
using Containerd.Actors.Supervision.Verifiers;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Bounds of pulls (<c>hocon/reference/pulls.conf</c>).</summary>
/// <param name="LayersMax">Layers fetched at a time by one pull.</param>
/// <param name="UnpacksMax">Layers unpacked at a time by one pull or import.</param>
/// <param name="ArrivalsMax">Layers unpacked at a time by one pull while they come.</param>
/// <param name="ArrivalPatience">Longest time in which a layer is unpacked while it comes.</param>
/// <param name="StepTimeout">Longest wait for one answer of the tree; extracting a layer is one.</param>
/// <param name="LeaseDuration">After this the lease of a pull that was lost expires.</param>
/// <param name="ProgressInterval">Shortest time between two reports to one watcher.</param>
/// <param name="LockedRetry">Pause before an upload that somebody else has open is tried again.</param>
/// <param name="DocumentBytesMax">Largest manifest or configuration in bytes.</param>
/// <param name="PullsMax">Pulls under way in one namespace.</param>
/// <param name="DownloadsMax">Blobs fetched at a time by all pulls together.</param>
/// <param name="Verifiers">Programs that may refuse a pull.</param>
/// <param name="Registry">How registries are spoken to.</param>
public sealed record PullSettings(
    int LayersMax,
    int UnpacksMax,
    int ArrivalsMax,
    TimeSpan ArrivalPatience,
    TimeSpan StepTimeout,
    TimeSpan LeaseDuration,
    TimeSpan ProgressInterval,
    TimeSpan LockedRetry,
    int DocumentBytesMax,
    int PullsMax,
    int DownloadsMax,
    VerifierSettings Verifiers,
    RegistrySettings Registry)
{
    /// <summary>Path of the keys.</summary>
    public const string Path = "containerd.pulls";

    /// <summary>Reads and checks all keys.</summary>
    /// <exception cref="ConfigurationException">A key is missing or out of its range.</exception>
    public static PullSettings From(Config config)
    {
        Config keys = config.GetConfig(Path) ?? throw new ConfigurationException($"{Path} is missing");
        int layers = keys.GetInt("layers-max");
        int document = (int)(keys.GetByteSize("document-bytes-max") ?? 0);
        if (layers is < 1 or > 64)
        {
            throw new ConfigurationException($"{Path}.layers-max must lie between 1 and 64");
        }

        int unpacks = keys.GetInt("unpacks-max");
        if (unpacks is < 0 or > 64)
        {
            throw new ConfigurationException($"{Path}.unpacks-max must lie between 0 and 64");
        }

        int arrivals = keys.GetInt("arrivals-max");
        if (arrivals is < 0 or > 64)
        {
            throw new ConfigurationException($"{Path}.arrivals-max must lie between 0 and 64");
        }

        TimeSpan patience = keys.GetTimeSpan("arrival-patience");
        if (patience < TimeSpan.FromSeconds(1) || patience >= keys.GetTimeSpan("step-timeout"))
        {
            throw new ConfigurationException($"{Path}.arrival-patience must lie between 1s and {Path}.step-timeout");
        }

        if (document is < 1 << 16 or > 1 << 28)
        {
            throw new ConfigurationException($"{Path}.document-bytes-max must lie between 64KiB and 256MiB");
        }

        int pulls = keys.GetInt("pulls-max");
        if (pulls is < 1 or > 10_000)
        {
            throw new ConfigurationException($"{Path}.pulls-max must lie between 1 and 10000");
        }

        int downloads = keys.GetInt("downloads-max");
        if (downloads is < 1 or > 1024)
        {
            throw new ConfigurationException($"{Path}.downloads-max must lie between 1 and 1024");
        }

        string hosts = keys.GetString("hosts-directory");
        string docker = keys.GetString("docker-config");
        return new PullSettings(
            layers,
            unpacks > 0 ? unpacks : Math.Max(Environment.ProcessorCount, 2),
            arrivals,
            patience,
            keys.GetTimeSpan("step-timeout"),
            keys.GetTimeSpan("lease-duration"),
            keys.GetTimeSpan("progress-interval"),
            keys.GetTimeSpan("locked-retry"),
            document,
            pulls,
            downloads,
            VerifierSettings.From(config),
            new RegistrySettings
            {
                ConnectTimeout = keys.GetTimeSpan("registry.connect-timeout"),
                HeaderTimeout = keys.GetTimeSpan("registry.header-timeout"),
                IdleTimeout = keys.GetTimeSpan("registry.idle-timeout"),
                AttemptsMax = keys.GetInt("registry.attempts-max"),
                ManifestBytesMax = document,
                Ranges = Ranges(keys.GetConfig("registry.ranges")),
                HostsDirectory = hosts.Length > 0 ? hosts : null,
                Credentials = docker.Length > 0 ? new DockerConfigFile(docker) : CredentialStores.Anonymous,
            });
    }

    private static RangeSettings Ranges(Config keys)
    {
        const string path = $"{Path}.registry.ranges";
        RangeSettings ranges = new(
            keys.GetInt("blobs-max"),
            keys.GetByteSize("blob-bytes-min") ?? 0,
            keys.GetInt("connections"),
            (int)Math.Min(keys.GetByteSize("range-bytes") ?? 0, int.MaxValue),
            keys.GetTimeSpan("patience"));
        string wrong = ranges switch
        {
            { BlobsMax: < 0 or > 64 } => $"{path}.blobs-max must lie between 0 and 64",
            { Connections: < 2 or > 16 } => $"{path}.connections must lie between 2 and 16",
            { RangeBytes: < 1 << 18 or > 1 << 24 } => $"{path}.range-bytes must lie between 256KiB and 16MiB",
            _ when ranges.BlobBytesMin < ranges.RangeBytes => $"{path}.blob-bytes-min must not be less than {path}.range-bytes",
            _ when ranges.Patience < TimeSpan.FromMilliseconds(100) => $"{path}.patience must be 100ms or more",
            _ => "",
        };
        return wrong.Length == 0 ? ranges : throw new ConfigurationException(wrong);
    }
}
