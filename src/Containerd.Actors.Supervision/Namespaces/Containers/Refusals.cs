// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Namespaces.Containers;

/// <summary>Refuses requests in the type their sender waits for.</summary>
internal static class Refusals
{
    internal static void Refuse(this IActorRef to, object message, Error error)
    {
        object? reply = message switch
        {
            IRequest<ContainerRecord> => Reply.Refused<ContainerRecord>(error),
            IRequest<ProcessRecord> => Reply.Refused<ProcessRecord>(error),
            IRequest<ProcessExit> => Reply.Refused<ProcessExit>(error),
            IRequest<TaskMetric> => Reply.Refused<TaskMetric>(error),
            IRequest<uint> => Reply.Refused<uint>(error),
            IRequest<Nothing> => Reply.Refused<Nothing>(error),
            IRequest<ImmutableArray<ContainerRecord>> => Reply.Refused<ImmutableArray<ContainerRecord>>(error),
            IRequest<ImmutableArray<ProcessRecord>> => Reply.Refused<ImmutableArray<ProcessRecord>>(error),
            IRequest<ImmutableArray<PidRecord>> => Reply.Refused<ImmutableArray<PidRecord>>(error),
            _ => null,
        };
        if (reply is not null)
        {
            to.Tell(reply);
        }
    }
}
