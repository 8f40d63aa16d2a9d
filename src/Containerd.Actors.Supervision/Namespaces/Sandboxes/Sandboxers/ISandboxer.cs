// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

/// <summary>One way to run sandboxes, as the tree needs it. containerd calls it a sandbox controller.</summary>
public interface ISandboxer
{
    /// <summary>Name by which clients choose it.</summary>
    string Name { get; }

    /// <summary>Makes what the sandbox runs in.</summary>
    /// <param name="command">What is asked.</param>
    /// <param name="sandbox">The sandbox, as the client or the store knows it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RefusedException">It failed; everything was taken back.</exception>
    Task<ISandbox> CreateAsync(SandboxControl.Create command, SandboxRecord sandbox, CancellationToken cancellationToken);

    /// <summary>Finds what an earlier daemon made; null when nobody is there.</summary>
    /// <exception cref="RefusedException">It is there and does not answer.</exception>
    Task<ISandbox?> LoadAsync(string ns, string id, CancellationToken cancellationToken);

    /// <summary>Ends and removes whatever is left of a sandbox. Idempotent.</summary>
    /// <returns>How it ended, as far as anyone knows: 255 if nobody does.</returns>
    Task<SandboxExit> CleanUpAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken);
}

/// <summary>A sandbox one is connected to. Disposing disconnects; it never ends the sandbox.</summary>
/// <remarks>Calls fail with <see cref="RefusedException"/>; a lost connection completes <see cref="Closed"/>.</remarks>
public interface ISandbox : IAsyncDisposable
{
    /// <summary>Where its task API is reached; empty when containers have shims of their own.</summary>
    string Address { get; }

    /// <summary>Version of that API.</summary>
    uint Version { get; }

    /// <summary>Completes when the connection is lost.</summary>
    Task Closed { get; }

    /// <summary>Starts it.</summary>
    Task<SandboxStart> StartAsync(CancellationToken cancellationToken);

    /// <summary>For what it runs containers.</summary>
    Task<SandboxPlatform> PlatformAsync(CancellationToken cancellationToken);

    /// <summary>Ends what runs in it; that there is nothing is success.</summary>
    Task StopAsync(uint timeoutSeconds, CancellationToken cancellationToken);

    /// <summary>Answered when it has ended.</summary>
    Task<SandboxExit> WaitAsync(CancellationToken cancellationToken);

    /// <summary>What it is doing.</summary>
    Task<SandboxStatus> StatusAsync(bool isVerbose, CancellationToken cancellationToken);

    /// <summary>Ends it, what serves it, and removes what was made for it.</summary>
    Task ShutdownAsync(CancellationToken cancellationToken);

    /// <summary>What it uses.</summary>
    Task<SandboxMetric> MetricsAsync(CancellationToken cancellationToken);
}
