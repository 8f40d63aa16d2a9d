// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Grpc.Calls;

/// <summary>The supervision tree as faces see it: the one place that asks.</summary>
/// <param name="Root">The actor <c>/user/containerd</c>, which routes every request to whoever owns its object.</param>
/// <param name="Deadline">Longest wait for an answer; a wait for the exit of a process has none.</param>
public sealed record Tree(IActorRef Root, TimeSpan Deadline)
{
    /// <summary>Asks and waits for the answer.</summary>
    /// <exception cref="RefusedException">The tree refused, or did not answer in time.</exception>
    public Task<T> AskAsync<T>(IRequest<T> request, CancellationToken cancellationToken) =>
        AskAsync(request, Deadline, cancellationToken);

    /// <summary>Asks and waits for the answer as long as the caller does.</summary>
    public Task<T> AwaitAsync<T>(IRequest<T> request, CancellationToken cancellationToken) =>
        AskAsync(request, Timeout.InfiniteTimeSpan, cancellationToken);

    private async Task<T> AskAsync<T>(IRequest<T> request, TimeSpan deadline, CancellationToken cancellationToken)
    {
        try
        {
            return (await Root.Ask<Reply<T>>(request, deadline, cancellationToken).ConfigureAwait(false)).Value;
        }
        catch (AskTimeoutException)
        {
            throw new RefusedException(new Error(
                ErrorKind.DeadlineExceeded, $"{request.GetType().Name}: no answer within {deadline.TotalSeconds:0} s (containerd.grpc.ask-timeout)"));
        }
    }
}
