// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Supervision.Tracing;

namespace Containerd.Actors.Daemon.Logging;

/// <summary>Writes a line for every span that ends, while it is not disposed.</summary>
internal sealed class SpanLog : IDisposable
{
    private readonly ILogger _log;
    private readonly ActivityListener _listener;

    private SpanLog(ILogger log)
    {
        _log = log;
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Spans.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Write,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>Listens from now on if that is wanted; null otherwise.</summary>
    public static SpanLog? Listen(ILoggerFactory logs, bool isWanted) => isWanted ? new SpanLog(logs.CreateLogger("spans")) : null;

    /// <inheritdoc />
    public void Dispose() => _listener.Dispose();

    private void Write(Activity span) => _log.LogInformation(
        "{Name} {Milliseconds:0.000} ms trace={Trace} span={Span} parent={Parent} {Tags}{Failure}",
        span.OperationName,
        span.Duration.TotalMilliseconds,
        span.TraceId,
        span.SpanId,
        span.ParentSpanId,
        string.Join(' ', span.Tags.Select(tag => $"{tag.Key}={tag.Value}")),
        span.Status == ActivityStatusCode.Error ? $" failed: {span.StatusDescription}" : "");
}
