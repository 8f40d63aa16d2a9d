// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Running;

namespace Containerd.Actors.Cli.Tests.Running;

public sealed class StageTimesSpecs
{
    [Fact]
    public void Every_stage_has_its_own_time_and_the_time_when_it_was_over()
    {
        Clock clock = new();
        StageTimes stages = new(clock);
        clock.Milliseconds = 12;
        stages.Over("image");
        clock.Milliseconds = 12.5;
        stages.Over("task create");
        Assert.Equal(
            ["STAGE        MS    AT", "image        12.0  12.0", "task create  0.5   12.5", "all          12.5"], stages.ToTable().Lines(0));
    }

    private sealed class Clock : TimeProvider
    {
        public double Milliseconds { get; set; }

        public override long GetTimestamp() => (long)(Milliseconds * TimestampFrequency / 1000);
    }
}
