// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Collections.Immutable;
using Containerd.Actors.Core.Runtimes;
using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Shims;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Runtimes;
using Containerd.Actors.Shims.Starting;
using Containerd.Actors.Supervision.Runtimes;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>What runs containers: shims, their bundles and runtimes by name.</summary>
/// <param name="Bundles">Where bundles lie.</param>
/// <param name="Launcher">Runs shim executables.</param>
/// <param name="Catalogue">Runtimes by name.</param>
/// <param name="Chosen">Finds out which OCI runtime works, once.</param>
/// <param name="Log">Takes what shims log, line by line.</param>
internal sealed record RuntimeParts(
    BundleRoots Bundles, ShimLauncher Launcher, RuntimeCatalogue Catalogue, Lazy<Task<string>> Chosen, Action<string> Log)
{
    private const string PathDefault = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Builds them. Which OCI runtime works is found out for the first task that needs to know, or when the daemon serves.</summary>
    public static RuntimeParts Of(DaemonSettings settings, RuntimesSettings runtimes, ILoggerFactory logs)
    {
        ILogger log = logs.CreateLogger("shim");
        string daemon = Environment.ProcessPath ?? "containerd-actors";
        string path = Environment.GetEnvironmentVariable("PATH") ?? PathDefault;
        ImmutableArray<string> environment =
            [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}")];
        ShimLauncher launcher = new(new ShimSettings
        {
            GrpcAddress = settings.Address,
            TtrpcAddress = settings.Address + ".ttrpc",
            DaemonBinary = daemon,
            Environment = environment,
            WaitingShims = runtimes.WaitingShims,
        });
        OciRuntimeProbe probe = new(Path.Combine(settings.State, "runtime-probe"), environment, path, runtimes.ProbeTimeout);
        Lazy<Task<string>> chosen = new(() => Task.Run(() => ChooseAsync(probe, runtimes.Candidates, logs.CreateLogger("runtime"))));
        return new RuntimeParts(
            new BundleRoots(settings.State, settings.Root),
            launcher,
            new RuntimeCatalogue(runtimes.Handlers, path, Path.GetDirectoryName(daemon) ?? "/", launcher, () => chosen.Value, runtimes.Instead),
            chosen,
            line => log.LogInformation("{Line}", line));
    }

    private static async Task<string> ChooseAsync(OciRuntimeProbe probe, ImmutableArray<string> candidates, ILogger log)
    {
        OciRuntimeChoice choice = await probe.ChooseAsync(candidates);
        log.LogInformation("{Choice}", choice);
        return choice.Chosen;
    }
}
