// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Cli.Output;

namespace Containerd.Actors.Cli.Running;

/// <summary>How long each stage of a run took, as the one who waits for it sees it.</summary>
internal sealed class StageTimes(TimeProvider time)
{
    private readonly List<(string Stage, TimeSpan Took)> _stages = [];
    private readonly long _began = time.GetTimestamp();
    private long _last = time.GetTimestamp();

    /// <summary>A stage is over; the next begins.</summary>
    public void Over(string stage)
    {
        long now = time.GetTimestamp();
        _stages.Add((stage, time.GetElapsedTime(_last, now)));
        _last = now;
    }

    /// <summary>A stage is over that somebody else measured.</summary>
    public void Told(string stage, TimeSpan took) => _stages.Add((stage, took));

    /// <summary>What was not told of is a stage of its own.</summary>
    public void Rest(string stage)
    {
        _last = time.GetTimestamp();
        TimeSpan told = _stages.Aggregate(TimeSpan.Zero, (sum, each) => sum + each.Took);
        _stages.Add((stage, time.GetElapsedTime(_began, _last) - told));
    }

    /// <summary>The stages in their order, and all of them together.</summary>
    public Table ToTable()
    {
        var table = new Table("STAGE", "MS", "AT");
        TimeSpan at = TimeSpan.Zero;
        foreach ((string stage, TimeSpan took) in _stages)
        {
            at += took;
            table.Add(stage, Milliseconds(took), Milliseconds(at));
        }

        table.Add("all", Milliseconds(time.GetElapsedTime(_began, _last)), "");
        return table;
    }

    private static string Milliseconds(TimeSpan span) => span.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);
}
