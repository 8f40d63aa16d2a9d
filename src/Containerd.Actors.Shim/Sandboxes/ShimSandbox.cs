// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Shim.Containers;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shim.Sandboxes;

/// <summary>The sandbox of this shim, from its creation to its shutdown.</summary>
/// <remarks>
/// With a container it runs that container's process, which holds the namespaces open, and ends with it. Without, it is the shim
/// itself in which the containers of a pod live; it has no process number and ends when it is told to.
/// </remarks>
/// <param name="id">The sandbox.</param>
/// <param name="container">Its container; null for none.</param>
internal sealed class ShimSandbox(string id, ShimContainer? container)
{
    private readonly TaskCompletionSource<Ending> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isStarted;

    /// <summary>The sandbox.</summary>
    public string Id { get; } = id;

    /// <summary>When it was made.</summary>
    public Timestamp CreatedAt { get; } = Now;

    /// <summary>Where it stands.</summary>
    public SandboxPhase Phase => Ended.IsCompleted ? SandboxPhase.Ended : _isStarted ? SandboxPhase.Ready : SandboxPhase.Created;

    /// <summary>Number of its process; 0 before there is one, and without.</summary>
    public uint Pid => _isStarted ? container?.Init.Pid ?? 0 : 0;

    /// <summary>Completes when it has ended.</summary>
    public Task<Ending> Ended => container?.Init.Ended ?? _ended.Task;

    /// <summary>Starts it.</summary>
    public async Task StartAsync()
    {
        if (container is not null)
        {
            await container.StartAsync("").ConfigureAwait(false);
        }

        _isStarted = true;
    }

    /// <summary>Ends it by force, as there is nothing that it could lose, and waits for that.</summary>
    public async Task EndAsync(CancellationToken cancellation)
    {
        if (container is not null)
        {
            await container.EndAsync(cancellation).ConfigureAwait(false);
        }

        _ended.TrySetResult(new Ending(0, Now));
    }

    /// <summary>What it uses; null without a container.</summary>
    public Any? Metrics() => container?.Metrics();

    /// <summary>Removes what was made for it; it has ended.</summary>
    public async Task RemoveAsync()
    {
        if (container is not null)
        {
            await container.DeleteAsync().ConfigureAwait(false);
            await container.Forgotten.ConfigureAwait(false);
            container.Dispose();
        }
    }

    private static Timestamp Now => Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
}
