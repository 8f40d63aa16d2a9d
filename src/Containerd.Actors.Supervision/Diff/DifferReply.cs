// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Diff;

/// <summary>What a differ in another process answered.</summary>
internal sealed record DifferReply(Reply<Descriptor> Reply)
{
    /// <summary>Waits for the answer and never throws.</summary>
    public static async Task<DifferReply> OfAsync(Func<Task<Descriptor>> call)
    {
        try
        {
            return new DifferReply(Protocol.Messages.Reply.Done(await call().ConfigureAwait(false)));
        }
        catch (RefusedException refused)
        {
            return new DifferReply(Protocol.Messages.Reply.Refused<Descriptor>(refused.Error));
        }
        catch (OperationCanceledException)
        {
            return new DifferReply(Protocol.Messages.Reply.Refused<Descriptor>(new Error(ErrorKind.Canceled, "the differ was given up")));
        }
    }
}
