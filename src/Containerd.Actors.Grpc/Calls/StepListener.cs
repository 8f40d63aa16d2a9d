// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Grpc.Transfers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Grpc.Calls;

/// <summary>Stands in the tree for the caller of something that is told of step by step. When it is gone, nobody waits any more.</summary>
/// <param name="steps">Where the steps go.</param>
/// <param name="ask">Asks the caller who it is; null when it does not answer that.</param>
internal sealed class StepListener<T>(
    ChannelWriter<T> steps, Func<PullQueries.FindCredentials, Task<PullCredentials>>? ask) : UntypedActor
{
    public static Props Props(ChannelWriter<T> steps, Func<PullQueries.FindCredentials, Task<PullCredentials>>? ask) =>
        Akka.Actor.Props.Create(() => new StepListener<T>(steps, ask));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case T step: steps.TryWrite(step); break;
            case PullQueries.FindCredentials find when ask is not null:
                ask(find).PipeTo(Sender, Self, found => Reply.Done(found), cause => Reply.Refused<PullCredentials>(PullListener.ErrorOf(cause)));
                break;
            case Done<Nothing>: steps.TryComplete(); break;
            case Refused<Nothing> refused: steps.TryComplete(new RefusedException(refused.Error)); break;
            default: Unhandled(message); break;
        }
    }
}

/// <summary>Requests whose steps are followed.</summary>
internal static class FollowedRequests
{
    /// <summary>Has the tree do something; its steps as they come, until it is done.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="system">Where the listener lives meanwhile.</param>
    /// <param name="request">What is done.</param>
    /// <param name="steps">Holds the steps that the reader has not taken yet: how many, and what becomes of others.</param>
    /// <param name="ask">Asks the caller who it is; null when it does not answer that.</param>
    /// <param name="cancellationToken">Hangs up.</param>
    /// <exception cref="RefusedException">It was refused.</exception>
    public static async IAsyncEnumerable<T> FollowAsync<T>(
        this Tree tree,
        ActorSystem system,
        object request,
        Channel<T> steps,
        Func<PullQueries.FindCredentials, Task<PullCredentials>>? ask,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IActorRef listener = system.ActorOf(StepListener<T>.Props(steps.Writer, ask));
        try
        {
            tree.Root.Tell(request, listener);
            await foreach (T step in steps.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return step;
            }
        }
        finally
        {
            system.Stop(listener);
        }
    }
}
