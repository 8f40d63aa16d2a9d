// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.Shims;

/// <summary>A world of shims that outlives the actors above it, as real ones do.</summary>
internal sealed class FakeShims : IShims
{
    public ConcurrentDictionary<string, FakeShim> Living { get; } = new();

    public ConcurrentQueue<string> Deeds { get; } = new();

    /// <summary>Held back until completed, when set.</summary>
    public TaskCompletionSource? CreateGate { get; set; }

    public Error? CreateError { get; set; }

    /// <summary>What was to be created, in order.</summary>
    public ConcurrentQueue<TaskCreation> Creations { get; } = new();

    /// <summary>Ids whose shims do not answer.</summary>
    public ConcurrentDictionary<string, bool> Frozen { get; } = new();

    /// <summary>Bundles that lie about.</summary>
    public ConcurrentBag<string> Strays { get; } = [];

    public string BundleOf(string ns, string id) => $"/bundles/{ns}/{id}";

    public async Task<CreatedShim> CreateAsync(string ns, TaskCreation creation, CancellationToken cancellationToken)
    {
        string id = creation.Container.Id;
        FakeShim shim = new(this, id);
        Living[id] = shim;
        Creations.Enqueue(creation);
        Deeds.Enqueue($"create {id}");
        if (CreateGate is { } gate)
        {
            await gate.Task.WaitAsync(cancellationToken);
        }

        if (CreateError is { } error)
        {
            Living.TryRemove(id, out _);
            throw new RefusedException(error);
        }

        shim.Processes[""] = new FakeProcess { Pid = 100, Status = ProcessStatus.Created };
        return new CreatedShim(shim.Connect(), 100);
    }

    public async Task<IShim?> LoadAsync(string ns, string id, CancellationToken cancellationToken)
    {
        Deeds.Enqueue($"load {id}");
        if (Frozen.ContainsKey(id))
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        return Living.TryGetValue(id, out FakeShim? shim) ? shim.Connect() : null;
    }

    public Task UndoAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken)
    {
        Deeds.Enqueue($"undo {id}");
        Living.TryRemove(id, out _);
        return Task.CompletedTask;
    }

    public void RemoveStrays(string ns, Func<string, bool> isKnown)
    {
        foreach (string id in Strays.Where(id => !isKnown(id)))
        {
            Deeds.Enqueue($"remove stray {id}");
        }
    }

    public Task<ProcessExit> CleanUpAsync(string ns, string id, CancellationToken cancellationToken)
    {
        Deeds.Enqueue($"clean up {id}");
        Living.TryRemove(id, out _);
        return Task.FromResult(new ProcessExit(100, 137, FakeShim.ExitedAt));
    }
}

internal sealed class FakeProcess
{
    public uint Pid { get; set; }

    public ProcessStatus Status { get; set; }

    public uint ExitStatus { get; set; }

    public TaskCompletionSource<ProcessExit> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

internal sealed class FakeShim(FakeShims world, string id)
{
    public static readonly DateTimeOffset ExitedAt = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public ConcurrentDictionary<string, FakeProcess> Processes { get; } = new();

    /// <summary>Called for every request; the default does what a shim does.</summary>
    public Func<ShimRequest, Task<ShimSignal>>? OnCall { get; set; }

    public TaskCompletionSource Closed { get; private set; } = new();

    public string Id => id;

    public IShim Connect()
    {
        Closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new Connection(this, world);
    }

    public void Exit(string execId, uint status)
    {
        FakeProcess process = Processes[execId];
        (process.Status, process.ExitStatus) = (ProcessStatus.Stopped, status);
        process.Ended.TrySetResult(new ProcessExit(process.Pid, status, ExitedAt));
    }

    /// <summary>The shim is killed.</summary>
    public void Die()
    {
        world.Living.TryRemove(id, out _);
        Closed.TrySetResult();
    }

    public Task<ShimSignal> AnswerAsync(ShimRequest request) => Task.FromResult<ShimSignal>(request switch
    {
        ShimRequests.Start start => Start(start.ExecId),
        ShimRequests.Exec exec => Add(exec),
        ShimRequests.Kill kill => Kill(kill),
        ShimRequests.Pause => new ShimSignals.Paused(),
        ShimRequests.Resume => new ShimSignals.Resumed(),
        ShimRequests.DeleteProcess delete => Remove(delete.ExecId),
        _ => new ShimSignals.Acknowledged(),
    });

    private ShimSignals.Started Start(string execId)
    {
        Processes[execId].Status = ProcessStatus.Running;
        return new ShimSignals.Started(execId, Processes[execId].Pid);
    }

    private ShimSignals.ExecAdded Add(ShimRequests.Exec exec)
    {
        Processes[exec.ExecId] = new FakeProcess { Pid = 200, Status = ProcessStatus.Created };
        return new ShimSignals.ExecAdded(exec.ExecId, exec.Stdio, ["sh"]);
    }

    private ShimSignals.Acknowledged Kill(ShimRequests.Kill kill)
    {
        Exit(kill.ExecId, 128 + kill.Signal);
        return new ShimSignals.Acknowledged();
    }

    private ShimSignals.ExecDeleted Remove(string execId)
    {
        Processes.TryRemove(execId, out FakeProcess? process);
        return new ShimSignals.ExecDeleted(execId, new ProcessExit(process!.Pid, process.ExitStatus, ExitedAt));
    }

    private sealed class Connection(FakeShim shim, FakeShims world) : IShim
    {
        private readonly TaskCompletionSource _closed = shim.Closed;

        public Task Closed => _closed.Task;

        public Task<ProcessExit> WaitAsync(string execId, CancellationToken cancellationToken) =>
            shim.Processes[execId].Ended.Task.WaitAsync(cancellationToken);

        public async Task<ProcessReport?> StateAsync(string execId, CancellationToken cancellationToken)
        {
            await ThawedAsync(cancellationToken);
            return shim.Processes.TryGetValue(execId, out FakeProcess? process)
                ? new ProcessReport(
                    execId, process.Pid, process.Status, process.ExitStatus, process.Status == ProcessStatus.Stopped ? ExitedAt : null)
                : null;
        }

        public async Task<ShimSignal> CallAsync(ShimRequest request, CancellationToken cancellationToken)
        {
            world.Deeds.Enqueue($"{request.Name} {shim.Id}");
            await ThawedAsync(cancellationToken);
            Task<ShimSignal> answer = shim.OnCall is { } onCall ? onCall(request) : shim.AnswerAsync(request);
            if (await Task.WhenAny(answer, Closed).WaitAsync(cancellationToken) != answer)
            {
                throw new ShimGoneException("closed");
            }

            return await answer;
        }

        public async Task<ProcessExit> DeleteAsync(CancellationToken cancellationToken)
        {
            world.Deeds.Enqueue($"Delete {shim.Id}");
            await ThawedAsync(cancellationToken);
            world.Living.TryRemove(shim.Id, out _);
            return new ProcessExit(100, shim.Processes[""].ExitStatus, ExitedAt);
        }

        public Task<ImmutableArray<PidRecord>> PidsAsync(CancellationToken cancellationToken) => Task.FromResult<ImmutableArray<PidRecord>>(
            [.. shim.Processes.Values.Select(process => new PidRecord(process.Pid, null))]);

        public async Task<AnyValue> StatsAsync(CancellationToken cancellationToken)
        {
            await ThawedAsync(cancellationToken);
            return new AnyValue("io.containerd.cgroups.v1.Metrics", default);
        }

        public ValueTask DisposeAsync()
        {
            _closed.TrySetResult();
            return ValueTask.CompletedTask;
        }

        private Task ThawedAsync(CancellationToken cancellationToken) =>
            world.Frozen.ContainsKey(shim.Id) ? Task.Delay(Timeout.Infinite, cancellationToken) : Task.CompletedTask;
    }
}
