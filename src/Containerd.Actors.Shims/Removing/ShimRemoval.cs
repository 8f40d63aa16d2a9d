// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Starting;
using Containerd.Runtime.Task.V3;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shims.Removing;

/// <summary>Takes back what the creation of a task left, and cleans up after shims that are gone: no shim outlives its bundle.</summary>
/// <param name="roots">Where bundles lie.</param>
/// <param name="launcher">Runs shim executables.</param>
/// <param name="log">Takes what shims log and what was found, line by line.</param>
public sealed class ShimRemoval(BundleRoots roots, ShimLauncher launcher, Action<string> log)
{
    private const uint SignalKill = 9;
    private static readonly TimeSpan StepTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Ends the task and the shim of a bundle, in whatever state an interrupted creation left them, and removes the bundle.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="binary">The shim's executable; null if none can be found.</param>
    /// <param name="cancellation">Gives up; the next attempt goes on with what is left.</param>
    public async Task UndoAsync(Bundle bundle, string? binary, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        await using (LogPump.OpenIfThere(bundle, log).ConfigureAwait(false))
        {
            if (await ReachAsync(bundle, binary, cancellation).ConfigureAwait(false) is { } connection)
            {
                await using (connection.ConfigureAwait(false))
                {
                    await TryAsync(connection.Task.KillAsync("", SignalKill, true, StepTimeout, cancellation)).ConfigureAwait(false);
                    await TryAsync(connection.Task.WaitAsync("", StepTimeout, cancellation)).ConfigureAwait(false);
                    await TryAsync(connection.Task.DeleteAsync("", StepTimeout, cancellation)).ConfigureAwait(false);
                    if (!bundle.IsSandboxed)
                    {
                        await TryAsync(connection.Task.ShutdownAsync(true, StepTimeout, cancellation)).ConfigureAwait(false);
                    }
                }
            }

            // A start that an earlier daemon left running may have made a second server, or still be about to.
            await Task.Run(() => KillStrays(bundle), cancellation).ConfigureAwait(false);
            await RemoveAsync(bundle, binary, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Removes a bundle that belongs to no task, unless processes run there: those are somebody's, whom this daemon does not know.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="binary">The shim's executable; null if none can be found.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RefusedException">Its shim does not answer, or the bundle could not be removed.</exception>
    public async Task RemoveStrayAsync(Bundle bundle, string? binary, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        if (await IsInUseAsync(bundle, cancellation).ConfigureAwait(false))
        {
            log($"{bundle.Path} belongs to no task, and processes run there: it is left alone");
            return;
        }

        log($"{bundle.Path} belongs to no task: what is left of it is removed");
        await UndoAsync(bundle, binary, cancellation).ConfigureAwait(false);
    }

    /// <summary>Runs the delete action for a shim that is gone or lost its task, ends what is left of the shim, and removes the bundle.</summary>
    /// <returns>How the task ended, as the action told; null if it could not.</returns>
    public async Task<DeleteResponse?> CleanUpAsync(Bundle bundle, string? binary, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        await using (LogPump.OpenIfThere(bundle, log).ConfigureAwait(false))
        {
            return await RemoveAsync(bundle, binary, cancellation).ConfigureAwait(false);
        }
    }

    // A shim that does not answer may have processes.
    private static async Task<bool> IsInUseAsync(Bundle bundle, CancellationToken cancellation)
    {
        try
        {
            ShimConnection connection = await ShimConnection.LoadAsync(bundle, StepTimeout, cancellation).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                return (await connection.Task.PidsAsync(StepTimeout, cancellation).ConfigureAwait(false)).Processes.Count > 0;
            }
        }
        catch (Exception e) when (e is ShimClosedException or RefusedException { Error.Kind: ErrorKind.NotFound })
        {
            return false;
        }
    }

    private async Task<DeleteResponse?> RemoveAsync(Bundle bundle, string? binary, CancellationToken cancellation)
    {
        DeleteResponse? told = null;
        try
        {
            told = binary is null ? null : await launcher.DeleteAsync(bundle, binary, cancellation).ConfigureAwait(false);
        }
        catch (RefusedException refused)
        {
            log($"clean-up of {bundle.Path}: {refused.Error.Text}");
        }

        await ShutDownAsync(bundle, cancellation).ConfigureAwait(false);
        await Task.Run(
            () =>
            {
                KillStrays(bundle);
                bundle.Delete();
            },
            cancellation).ConfigureAwait(false);
        return told;
    }

    // A shim that lost its task to a daemon killed in the middle of a delete lives on; one that serves others stays.
    private static async Task ShutDownAsync(Bundle bundle, CancellationToken cancellation)
    {
        if (bundle.IsSandboxed)
        {
            return;
        }

        try
        {
            ShimConnection connection = await ShimConnection.LoadAsync(bundle, StepTimeout, cancellation).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                await TryAsync(connection.Task.ShutdownAsync(false, StepTimeout, cancellation)).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is ShimClosedException or RefusedException or IOException or LinuxException)
        {
            // Nobody answers: it is as dead as it was taken for.
        }
    }

    // A shim that was started but not recorded yet is found by starting it again: it answers with the address of the one that runs.
    private async Task<ShimConnection?> ReachAsync(Bundle bundle, string? binary, CancellationToken cancellation)
    {
        try
        {
            return await ShimConnection.LoadAsync(bundle, StepTimeout, cancellation).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound && binary is not null)
        {
            return await StartAgainAsync(bundle, binary, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ShimClosedException or RefusedException)
        {
            log($"{bundle.Path}: its shim does not answer: {e.Message}");
            return null;
        }
    }

    private async Task<ShimConnection?> StartAgainAsync(Bundle bundle, string binary, CancellationToken cancellation)
    {
        try
        {
            return await launcher.StartAsync(bundle, binary, null, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RefusedException or ShimClosedException or IOException or LinuxException)
        {
            log($"{bundle.Path}: no shim: {e.Message}");
            return null;
        }
    }

    private void KillStrays(Bundle bundle)
    {
        if (bundle.IsSandboxed || IsShared(bundle))
        {
            return;
        }

        int strays = launcher.Processes.Kill(bundle.Namespace, bundle.Id);
        if (strays > 0)
        {
            log($"{bundle.Path}: ended {strays} shims that would have outlived it");
        }
    }

    // The shim of a group bears the id of its first member and serves the others after that one is gone; so does that of a sandbox,
    // which may have the id of one of its tasks.
    private bool IsShared(Bundle bundle) => AddressOf(bundle) is { } address && Bundle.List(roots).Where(other => other.Id != bundle.Id)
        .Concat(Bundle.List(roots.OfSandboxes))
        .Any(other => other.Namespace == bundle.Namespace && AddressOf(other) == address);

    private static string? AddressOf(Bundle bundle)
    {
        try
        {
            return bundle.ReadBootstrap().Address;
        }
        catch (Exception e) when (e is RefusedException or IOException)
        {
            return null;
        }
    }

    private static async Task TryAsync(Task step)
    {
        try
        {
            await step.ConfigureAwait(false);
        }
        catch (Exception e) when (e is RefusedException or ShimClosedException)
        {
            // Each step is for what the one before left; the delete action takes what remains.
        }
    }
}
