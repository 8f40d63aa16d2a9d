// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Supervision.Executor;

/// <summary>An effect on its way: who waits for it and how long.</summary>
internal sealed record Job(long Number, Effect Effect, IActorRef Owner, TimeSpan Deadline);

/// <summary>A lane in service.</summary>
internal sealed class Lane(IActorRef actor, CancellationTokenSource givenUp)
{
    /// <summary>The thread's actor.</summary>
    public IActorRef Actor { get; } = actor;

    /// <summary>Cancelled when the lane is taken out of service.</summary>
    public CancellationTokenSource GivenUp { get; } = givenUp;

    /// <summary>What it works on; null while it is free.</summary>
    public Job? Job { get; set; }
}

/// <summary>The lanes of one kind, what waits for them, and how many hang.</summary>
internal sealed class LanePool(LaneSettings settings)
{
    public LaneSettings Settings { get; } = settings;

    public List<Lane> Lanes { get; } = [];

    public LinkedList<Job> Queue { get; } = [];

    /// <summary>Jobs of lanes that were given up and have not returned.</summary>
    public HashSet<long> Abandoned { get; } = [];

    /// <summary>Lanes given up since the start.</summary>
    public long Stuck { get; set; }

    /// <summary>Lanes made since the start; names are never used twice.</summary>
    public int LanesMade { get; set; }

    /// <summary>The first lanes are no replacements: only as many threads may hang as there may be replacements.</summary>
    public bool MayAddLane => Lanes.Count < Settings.Lanes && Lanes.Count + Abandoned.Count < Settings.Lanes + Settings.ReplacementsMax;

    /// <summary>Why no further effect is taken now; null when one is.</summary>
    public Error? Refusal(Effect effect)
    {
        if (Lanes.Count == 0)
        {
            return new Error(ErrorKind.ResourceExhausted, $"{effect.Call} {effect.Subject}: {Abandoned.Count} lanes hang and "
                + $"{Settings.Key("replacements-max")} = {Settings.ReplacementsMax} is reached");
        }

        if (!effect.MayWait && (Queue.Count > 0 || Lanes.TrueForAll(lane => lane.Job is not null)))
        {
            return new Error(ErrorKind.ResourceExhausted, $"{effect.Call} {effect.Subject}: all of {Settings.Key("lanes")} = {Lanes.Count} are busy");
        }

        return Queue.Count < Settings.QueueMax
            ? null
            : new Error(ErrorKind.ResourceExhausted, $"{effect.Call} {effect.Subject}: {Settings.Key("queue-max")} = {Settings.QueueMax} is reached");
    }
}
