// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Namespaces.Containers;

/// <summary>Refuses requests in the type their sender waits for.</summary>
internal static class Refusals
{
    internal static void Refuse(this IActorRef to, object message, Error error)
    {
        if (message is IRequest request)
        {
            to.Tell(request.Refusal(error));
        }
    }
}
