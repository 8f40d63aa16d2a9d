// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics;
using Akka.TestKit;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Tests.Namespaces.Containers;
using Containerd.Actors.Supervision.Tests.Namespaces.Runs;
using Containerd.Actors.Supervision.Tracing;

namespace Containerd.Actors.Supervision.Tests.Tracing;

/// <summary>The spans of one trace, as a listener gets them.</summary>
internal sealed class HeardSpans : IDisposable
{
    private readonly ActivityListener _listener;
    private readonly ConcurrentQueue<Activity> _ended = new();

    public HeardSpans()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Containerd.Actors",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>What a caller puts into its request.</summary>
    public string Trace { get; } = $"00-{ActivityTraceId.CreateRandom()}-b7ad6b7169203331-01";

    /// <summary>The spans that have ended; others that run at the same time are of other traces.</summary>
    public IReadOnlyList<Activity> Ended => [.. _ended.Where(span => Trace.Contains(span.TraceId.ToString(), StringComparison.Ordinal))];

    public void Dispose() => _listener.Dispose();
}

public sealed class SpanSpecs
{
    [Fact]
    public void A_span_without_a_caller_begins_a_trace_and_leaves_no_mark_on_its_thread()
    {
        using HeardSpans heard = new();
        using Activity other = new Activity("other").Start();
        using Span? span = Spans.Start("x", "", "container.id", "c");
        Assert.DoesNotContain(other.TraceId.ToString(), span!.Trace, StringComparison.Ordinal);
        Assert.Same(other, Activity.Current);
        span.Dispose();
        Assert.Same(other, Activity.Current);
    }

    [Fact]
    public async Task What_fails_within_a_span_is_its_status()
    {
        using HeardSpans heard = new();
        await Assert.ThrowsAsync<RefusedException>(() => Spans.TimeAsync<int>(
            "x", heard.Trace, "digest", "d", () => throw new RefusedException(Error.NotFound("d"))));
        Activity span = Assert.Single(heard.Ended);
        Assert.Equal((ActivityStatusCode.Error, "d: not found", "b7ad6b7169203331"), (span.Status, span.StatusDescription, span.ParentSpanId.ToString()));
    }
}

public sealed class RunSpanSpecs : RunsFixture
{
    [Fact]
    public async Task Each_stage_of_a_run_is_a_span_below_the_run_which_is_below_its_caller()
    {
        using HeardSpans heard = new();
        TestProbe asker = CreateTestProbe();
        Runs().Tell(new RunCommands.Run(Ns, Wish with { Removes = true }, By with { Trace = heard.Trace }), asker);
        await asker.ExpectMsgAsync<RunProgress.Started>(Patience);
        Exit(0);
        await AwaitConditionAsync(() => Task.FromResult(heard.Ended.Any(span => span.OperationName == "run")), Patience, TimeSpan.FromMilliseconds(5));
        Activity run = heard.Ended.Single(span => span.OperationName == "run");
        Assert.Equal("b7ad6b7169203331", run.ParentSpanId.ToString());
        Assert.Equal("c", run.GetTagItem("container.id"));
        Assert.Equal(
            ["run image", "run snapshot", "run container", "run task create", "run task start", "run process", "run removal"],
            heard.Ended.Where(span => span.ParentSpanId == run.SpanId).OrderBy(span => span.StartTimeUtc).Select(span => span.OperationName));
    }
}

public sealed class TaskSpanSpecs : ContainersFixture
{
    [Fact]
    public async Task Creation_start_and_deletion_of_a_task_are_spans_below_their_caller_until_the_answer()
    {
        using HeardSpans heard = new();
        Caller by = By with { Trace = heard.Trace };
        await CreateContainer("a");
        await Do(CreateTask("a") with { By = by });
        await Do(new TaskCommands.Start(Ns, "a", "", by));
        Assert.Contains("cannot delete a running process", await Refusal(new TaskCommands.Delete(Ns, "a", by)), StringComparison.Ordinal);
        Assert.Equal(["task create", "task start", "task delete"], heard.Ended.Select(span => span.OperationName));
        Assert.All(heard.Ended, span => Assert.Equal("b7ad6b7169203331", span.ParentSpanId.ToString()));
        Assert.Equal(
            [ActivityStatusCode.Unset, ActivityStatusCode.Unset, ActivityStatusCode.Error], heard.Ended.Select(span => span.Status));
    }
}
