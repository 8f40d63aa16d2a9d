// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Supervision.Tracing;

namespace Containerd.Actors.Supervision.Namespaces.Runs;

/// <summary>How long the stages of a run took, each also a span below that of the run. They follow each other: one thread at a time comes by.</summary>
internal sealed class StageClock(TimeProvider time, string id, string trace) : IDisposable
{
    private const string Tag = "container.id";

    private readonly Span? _run = Spans.Start("run", trace, Tag, id);
    private ImmutableArray<RunStage> _over = [];

    /// <summary>Does a stage; one that fails is not told of.</summary>
    public async Task<T> TimeAsync<T>(string name, Func<Task<T>> stage)
    {
        long began = time.GetTimestamp();
        T result = await Spans.TimeAsync($"run {name}", _run?.Trace ?? trace, Tag, id, stage).ConfigureAwait(false);
        _over = _over.Add(new RunStage(name, time.GetElapsedTime(began)));
        return result;
    }

    /// <summary>What was done since the last time this was asked.</summary>
    public ImmutableArray<RunStage> Take()
    {
        ImmutableArray<RunStage> taken = _over;
        _over = [];
        return taken;
    }

    /// <summary>The run is over.</summary>
    public void Dispose() => _run?.Dispose();
}
