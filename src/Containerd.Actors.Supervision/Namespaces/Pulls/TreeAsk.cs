// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>The tree as the steps of an operation ask it: each answer is waited for, up to a bound.</summary>
/// <param name="tree">The root of the tree.</param>
/// <param name="subject">What the operation is about, for texts.</param>
/// <param name="timeout">Longest wait for one answer.</param>
/// <param name="key">The key of that bound.</param>
internal sealed class TreeAsk(IActorRef tree, string subject, TimeSpan timeout, string key = $"{PullSettings.Path}.step-timeout")
{
    /// <summary>Asks and waits.</summary>
    /// <exception cref="RefusedException">The tree refused, or did not answer in time.</exception>
    public Task<T> AskAsync<T>(IRequest<T> request, CancellationToken cancellationToken) => AskAsync(request, timeout, cancellationToken);

    /// <summary>Asks and waits as long as it takes.</summary>
    /// <exception cref="RefusedException">The tree refused.</exception>
    public Task<T> AwaitAsync<T>(IRequest<T> request, CancellationToken cancellationToken) =>
        AskAsync(request, Timeout.InfiniteTimeSpan, cancellationToken);

    private async Task<T> AskAsync<T>(IRequest<T> request, TimeSpan bound, CancellationToken cancellationToken)
    {
        try
        {
            return (await tree.Ask<Reply<T>>(request, bound, cancellationToken).ConfigureAwait(false)).Value;
        }
        catch (AskTimeoutException)
        {
            throw new RefusedException(new Error(
                ErrorKind.DeadlineExceeded, $"{subject}: {request.GetType().Name} took longer than {timeout.TotalSeconds:0} s ({key})"));
        }
    }

    /// <summary>Asks and waits also when the operation was given up meanwhile: the answer tells what is to be undone.</summary>
    /// <exception cref="RefusedException">The tree refused, or did not answer in time.</exception>
    public Task<T> FinishAsync<T>(IRequest<T> request) => AskAsync(request, CancellationToken.None);

    /// <summary>Asks for something that may fail without harm.</summary>
    public async Task TryAsync<T>(IRequest<T> request)
    {
        try
        {
            await FinishAsync(request).ConfigureAwait(false);
        }
        catch (RefusedException)
        {
            // Garbage collection takes what is left once the lease has ended.
        }
    }
}
