// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Stands for one caller of Transfer in the tree: hears how far its pull is, and is asked for its credentials.</summary>
/// <remarks>The caller is asked outside of this actor; a slow caller misses steps in between, never the last.</remarks>
/// <param name="steps">Where the steps go.</param>
/// <param name="ended">Done with the last of them.</param>
/// <param name="ask">Asks the caller.</param>
internal sealed class PullListener(
    ChannelWriter<PullProgress> steps, TaskCompletionSource ended, Func<PullQueries.FindCredentials, Task<PullCredentials>> ask) : UntypedActor
{
    public static Props Props(
        ChannelWriter<PullProgress> steps, TaskCompletionSource ended, Func<PullQueries.FindCredentials, Task<PullCredentials>> ask) =>
        Akka.Actor.Props.Create(() => new PullListener(steps, ended, ask));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case PullProgress progress:
                steps.TryWrite(progress);
                if (progress.IsFinal)
                {
                    steps.TryComplete();
                    ended.TrySetResult();
                }

                break;
            case Refused<Nothing> refused:
                steps.TryComplete(new RefusedException(refused.Error));
                ended.TrySetResult();
                break;
            case PullQueries.FindCredentials find:
                ask(find).PipeTo(Sender, Self, found => Reply.Done(found), cause => Reply.Refused<PullCredentials>(ErrorOf(cause)));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    /// <summary>Why a caller did not say who it is.</summary>
    internal static Error ErrorOf(Exception cause) => cause switch
    {
        RefusedException refused => refused.Error,
        AggregateException { InnerException: RefusedException refused } => refused.Error,
        OperationCanceledException or AggregateException { InnerException: OperationCanceledException } => new Error(ErrorKind.Canceled, "the caller went away"),
        _ => Error.Unknown(cause.Message),
    };
}
