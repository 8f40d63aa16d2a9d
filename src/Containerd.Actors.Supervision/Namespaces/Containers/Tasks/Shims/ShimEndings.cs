// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>Last parts of deletions: the shim ends, its bundle goes. The task is gone for everybody by then; only a task of the same id waits.</summary>
internal sealed class ShimEndings
{
    private readonly ConcurrentDictionary<(string Namespace, string Id), Task> _endings = new();

    /// <summary>Keeps one until it is done.</summary>
    internal void Add(string ns, string id, Task ending)
    {
        if (!ending.IsCompleted)
        {
            _endings[(ns, id)] = ending;
            _ = ForgetAsync((ns, id), ending);
        }
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

    private async Task ForgetAsync((string Namespace, string Id) of, Task ending)
    {
        await ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _endings.TryRemove(new(of, ending));
    }
}
