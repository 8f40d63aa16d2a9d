// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Containerd.Actors.Supervision.Tracing;

/// <summary>Spans of traces for whoever listens to the source; while nobody does, nothing is made.</summary>
public static class Spans
{
    /// <summary>Name of the source, as listeners know it.</summary>
    public const string Source = "Containerd.Actors";

    private static readonly ActivitySource Made = new(Source);

    /// <summary>Begins a span; null when nobody listens.</summary>
    /// <param name="name">What is done.</param>
    /// <param name="trace">The caller's <c>traceparent</c>, below which it hangs; without one it begins a trace.</param>
    /// <param name="tag">What it is done to: <c>container.id</c>, <c>digest</c>.</param>
    /// <param name="value">Its name.</param>
    internal static Span? Start(string name, string trace, string tag, string value)
    {
        if (!Made.HasListeners())
        {
            return null;
        }

        // What a thread of the pool is at by chance is not what caused this.
        Activity? other = Activity.Current;
        Activity.Current = null;
        Activity? activity = ActivityContext.TryParse(trace, null, isRemote: true, out ActivityContext parent)
            ? Made.StartActivity(name, ActivityKind.Internal, parent)
            : Made.StartActivity(name);
        activity?.SetTag(tag, value);
        Activity.Current = other;
        return activity is null ? null : new Span(activity);
    }

    /// <summary>Does something within a span.</summary>
    internal static Task<T> TimeAsync<T>(string name, string trace, string tag, string value, Func<Task<T>> work) =>
        Made.HasListeners() ? SpanAsync(name, trace, tag, value, work) : work();

    /// <inheritdoc cref="TimeAsync{T}" />
    internal static Task TimeAsync(string name, string trace, string tag, string value, Func<Task> work) =>
        TimeAsync(name, trace, tag, value, async () =>
        {
            await work().ConfigureAwait(false);
            return true;
        });

    private static async Task<T> SpanAsync<T>(string name, string trace, string tag, string value, Func<Task<T>> work)
    {
        using Span? span = Start(name, trace, tag, value);
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            span?.Fail(failure.Message);
            throw;
        }
    }
}

/// <summary>A span that was begun and ends where it is disposed, on whatever thread.</summary>
internal sealed class Span(Activity activity) : IDisposable
{
    /// <summary>What spans below it take for their <c>traceparent</c>.</summary>
    public string Trace => activity.Id ?? "";

    /// <summary>It did not do what it was for.</summary>
    public void Fail(string reason) => activity.SetStatus(ActivityStatusCode.Error, reason);

    /// <inheritdoc />
    public void Dispose()
    {
        Activity? other = Activity.Current;
        activity.Dispose();
        Activity.Current = other;
    }
}
