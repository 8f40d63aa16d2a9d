// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Storage.Mounts;

namespace Containerd.Actors.Supervision.Tests.Mounts;

/// <summary>A mount table of the tests. It outlives the tree as the kernel's outlives the daemon, until it is told of a reboot.</summary>
internal sealed class FakeKernel : IEffectRunner
{
    private readonly ConcurrentDictionary<long, int> _mounted = new();

    /// <summary>Numbers under which something is mounted.</summary>
    public IReadOnlyCollection<long> Mounted => [.. _mounted.Keys.Order()];

    /// <summary>Numbers that are in use, which only force takes away.</summary>
    public ConcurrentDictionary<long, bool> Busy { get; } = new();

    /// <summary>Held open, mounts wait.</summary>
    public ManualResetEventSlim Gate { get; } = new(initialState: true);

    /// <summary>Set when a mount has begun.</summary>
    public ManualResetEventSlim Begun { get; } = new();

    public bool Refuses { get; set; }

    public void Reboot() => _mounted.Clear();

    public bool Runs(Effect effect) => effect.GetType().DeclaringType == typeof(MountEffects);

    public object? Run(Effect effect, CancellationToken cancellationToken)
    {
        switch (effect)
        {
            case MountEffects.Activate activate:
                Begun.Set();
                Gate.Wait(CancellationToken.None);
                return Refuses ? throw Failure("mount") : Mount(activate.Number, activate.Plan);
            case MountEffects.Deactivate deactivate:
                foreach (long number in deactivate.Numbers)
                {
                    if (Busy.ContainsKey(number) && !deactivate.IsForced)
                    {
                        throw Failure("umount2");
                    }

                    _mounted.TryRemove(number, out _);
                }

                return null;
            default:
                return (IReadOnlyList<FoundActivation>)
                [
                    .. _mounted.OrderBy(each => each.Key)
                        .Select(each => new FoundActivation(each.Key, [.. Enumerable.Range(0, each.Value).Select(place => Point(each.Key, place))])),
                ];
        }
    }

    private MountedPlan Mount(long number, MountPlan plan)
    {
        _mounted[number] = plan.Held.Length;
        return new MountedPlan(
            [.. plan.Held.Select((held, place) => new ActiveMount(held.Mount, Point(number, place), DateTimeOffset.UnixEpoch))],
            [.. plan.System.Select(system => system.Mount).DefaultIfEmpty(new Mount("bind", Point(number, 0), "", ["rbind"]))]);
    }

    private static string Point(long number, int place) => $"/t/{number}/{place}";

    private static LinuxException Failure(string call) => new(new LinuxError(call, 16, "EBUSY", "device or resource busy", "/t"));
}
