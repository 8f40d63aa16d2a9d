// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>Last parts of deletions: the shim ends, its bundle goes. The task is gone for everybody by then; only a task of the same id waits.</summary>
/// <param name="log">Takes what went wrong.</param>
/// <param name="time">The clock.</param>
internal sealed class ShimEndings(Action<string> log, TimeProvider time)
{
    private const int AttemptsMax = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private readonly ConcurrentDictionary<(string Namespace, string Id), Task> _endings = new();

    /// <summary>Begins one and keeps it until it is done. What the world refuses is tried again, each time after twice the pause.</summary>
    /// <param name="ns">The containerd namespace.</param>
    /// <param name="id">The task.</param>
    /// <param name="attempt">Ends what is left; runs until its first wait before this returns.</param>
    /// <returns>Completes when it is done or given up; it never fails for what the world refused.</returns>
    internal Task Add(string ns, string id, Func<Task> attempt)
    {
        Task ending = CarryOutAsync($"{ns}/{id}", attempt);
        if (!ending.IsCompleted)
        {
            _endings[(ns, id)] = ending;
            _ = ForgetAsync((ns, id), ending);
        }

        return ending;
    }

    /// <summary>Whether the one of that id is under way.</summary>
    internal bool Has(string ns, string id) => _endings.ContainsKey((ns, id));

    /// <summary>Waits for the one of that id, if there is one. How it ended is not told: what it left is found by whoever comes next.</summary>
    internal async Task WaitAsync(string ns, string id, CancellationToken cancellation)
    {
        if (_endings.TryGetValue((ns, id), out Task? ending))
        {
            await ending.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private async Task CarryOutAsync(string of, Func<Task> attempt)
    {
        TimeSpan pause = FirstPause;
        for (int attempts = 1; ; attempts++)
        {
            try
            {
                await attempt().ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is RefusedException or IOException or UnauthorizedAccessException or LinuxException)
            {
                log($"the end of {of}: {e.Message}");
            }

            // The next task under this id, or the next start of the daemon, takes what is left.
            if (attempts == AttemptsMax)
            {
                return;
            }

            await Task.Delay(pause, time).ConfigureAwait(false);
            pause *= 2;
        }
    }

    private async Task ForgetAsync((string Namespace, string Id) of, Task ending)
    {
        await ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _endings.TryRemove(new(of, ending));
    }
}
