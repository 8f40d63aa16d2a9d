// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Sandboxes;

/// <summary>A world of sandboxes that outlives the actors above it, as real ones do.</summary>
internal sealed class FakeSandboxer(string name) : ISandboxer
{
    public static readonly DateTimeOffset MadeAt = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public ConcurrentDictionary<string, FakeSandbox> Living { get; } = new();

    public ConcurrentQueue<string> Deeds { get; } = new();

    /// <summary>What the last creation was to mount.</summary>
    public ImmutableArray<RootfsMount> Rootfs { get; private set; } = [];

    public Error? CreateError { get; set; }

    public Error? StartError { get; set; }

    /// <summary>Held back until completed, when set.</summary>
    public TaskCompletionSource? StartGate { get; set; }

    public string Name => name;

    public Task<ISandbox> CreateAsync(SandboxControl.Create command, SandboxRecord sandbox, CancellationToken cancellationToken)
    {
        Deeds.Enqueue($"create {command.SandboxId} with {sandbox.RuntimeName}");
        Rootfs = command.Rootfs;
        if (CreateError is { } error)
        {
            throw new RefusedException(error);
        }

        Living[command.SandboxId] = new FakeSandbox(this, command.SandboxId);
        return Task.FromResult<ISandbox>(Living[command.SandboxId].Connect());
    }

    public Task<ISandbox?> LoadAsync(string ns, string id, CancellationToken cancellationToken)
    {
        Deeds.Enqueue($"load {id}");
        return Task.FromResult<ISandbox?>(Living.TryGetValue(id, out FakeSandbox? sandbox) ? sandbox.Connect() : null);
    }

    public Task<SandboxExit> CleanUpAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken)
    {
        Deeds.Enqueue($"clean up {id}");
        Living.TryRemove(id, out _);
        return Task.FromResult(new SandboxExit(137, MadeAt));
    }
}

internal sealed class FakeSandbox(FakeSandboxer world, string id)
{
    private TaskCompletionSource _closed = new();

    public TaskCompletionSource<SandboxExit> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public uint Pid { get; set; }

    public string State { get; set; } = "SANDBOX_READY";

    public ISandbox Connect()
    {
        _closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new Connection(this, world, id, _closed.Task);
    }

    /// <summary>Its shim is killed.</summary>
    public void Die()
    {
        world.Living.TryRemove(id, out _);
        _closed.TrySetResult();
    }

    private sealed class Connection(FakeSandbox sandbox, FakeSandboxer world, string id, Task closed) : ISandbox
    {
        public string Address => $"ttrpc+unix:///{id}";

        public uint Version => 3;

        public Task Closed => closed;

        public async Task<SandboxStart> StartAsync(CancellationToken cancellationToken)
        {
            world.Deeds.Enqueue($"start {id}");
            if (world.StartGate is { } gate)
            {
                await gate.Task.WaitAsync(cancellationToken);
            }

            if (world.StartError is { } error)
            {
                throw new RefusedException(error);
            }

            sandbox.Pid = 7;
            return new SandboxStart(7, FakeSandboxer.MadeAt, null);
        }

        public Task<SandboxPlatform> PlatformAsync(CancellationToken cancellationToken) => Task.FromResult(new SandboxPlatform("linux", "amd64", ""));

        public Task StopAsync(uint timeoutSeconds, CancellationToken cancellationToken)
        {
            world.Deeds.Enqueue($"stop {id} in {timeoutSeconds}");
            sandbox.Ended.TrySetResult(new SandboxExit(143, FakeSandboxer.MadeAt));
            return Task.CompletedTask;
        }

        public Task<SandboxExit> WaitAsync(CancellationToken cancellationToken) => sandbox.Ended.Task.WaitAsync(cancellationToken);

        public Task<SandboxStatus> StatusAsync(bool isVerbose, CancellationToken cancellationToken) => Task.FromResult(
            new SandboxStatus(id) { Pid = sandbox.Pid, State = sandbox.State, CreatedAt = FakeSandboxer.MadeAt, Address = Address, Version = Version });

        public Task ShutdownAsync(CancellationToken cancellationToken)
        {
            world.Deeds.Enqueue($"shut down {id}");
            world.Living.TryRemove(id, out _);
            return Task.CompletedTask;
        }

        public Task<SandboxMetric> MetricsAsync(CancellationToken cancellationToken) =>
            Task.FromResult(new SandboxMetric(id, FakeSandboxer.MadeAt, null));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
