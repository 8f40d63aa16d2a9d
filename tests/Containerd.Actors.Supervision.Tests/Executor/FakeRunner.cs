// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Containerd.Actors.Core.Executor;

namespace Containerd.Actors.Supervision.Tests.Executor;

/// <summary>An effect of the tests: does what the fake runner is told to do with its subject.</summary>
internal sealed record Probe(LaneKind Kind, string Name, bool IsPatient = true) : Effect
{
    public override bool MayWait => IsPatient;

    public override LaneKind Lane => Kind;

    public override string Subject => Name;

    public override string Call => "probe";
}

/// <summary>Runs effects of the tests; those that were blocked wait until they are let go.</summary>
internal sealed class FakeRunner : IEffectRunner, IDisposable
{
    private readonly ConcurrentDictionary<string, ManualResetEventSlim> _blocked = new();

    /// <summary>What begins, in order, with the thread on which it does.</summary>
    public BlockingCollection<(string Name, int Thread)> Begun { get; } = [];

    /// <summary>Tokens as the effects saw them.</summary>
    public ConcurrentDictionary<string, CancellationToken> Tokens { get; } = new();

    public Func<Effect, object?> Does { get; set; } = _ => null;

    public bool Runs(Effect effect) => true;

    public void Block(string name) => _blocked[name] = new ManualResetEventSlim();

    public void Release(string name) => _blocked[name].Set();

    public object? Run(Effect effect, CancellationToken cancellationToken)
    {
        Tokens[effect.Subject] = cancellationToken;
        Begun.Add((effect.Subject, Environment.CurrentManagedThreadId), CancellationToken.None);
        if (_blocked.TryGetValue(effect.Subject, out ManualResetEventSlim? gate))
        {
            gate.Wait(CancellationToken.None);
        }

        return Does(effect);
    }

    /// <summary>Waits until the next effect begins.</summary>
    public (string Name, int Thread) NextBegun() =>
        Begun.TryTake(out (string Name, int Thread) begun, TimeSpan.FromSeconds(20)) ? begun : throw new TimeoutException("no effect began");

    public void Dispose()
    {
        foreach (ManualResetEventSlim gate in _blocked.Values)
        {
            gate.Set();
        }
    }
}
