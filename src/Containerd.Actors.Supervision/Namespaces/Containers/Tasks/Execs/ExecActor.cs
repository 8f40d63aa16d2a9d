// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Execs;

/// <summary>Owns one further process of a task for those who wait for its end.</summary>
/// <remarks>What the process may do is decided by the task; the process itself belongs to the shim.</remarks>
internal sealed class ExecActor(string execId, int waitersMax) : UntypedActor
{
    // Clients, which do not outlive the connection they wait on; hence not persisted.
    private readonly List<IActorRef> _waiters = [];
    private ProcessExit? _exit;

    /// <summary>The process ended, or was released without having run.</summary>
    internal sealed record Ended(ProcessExit Exit);

    /// <summary>Name of the actor below its task; one exec id is taken by the task's own child.</summary>
    internal static string NameOf(string execId) => execId == "shim" ? "exec:shim" : execId;

    internal static Props PropsOf(string execId, int waitersMax) =>
        Props.Create(() => new ExecActor(execId, waitersMax));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case TaskQueries.Wait when _exit is not null: Sender.Tell(Reply.Done(_exit)); break;
            case TaskQueries.Wait when _waiters.Count >= waitersMax: Sender.Tell(Reply.Refused<ProcessExit>(TooMany(execId))); break;
            case TaskQueries.Wait: _waiters.Add(Sender); break;
            case Ended ended: Release(ended.Exit); break;
            default: Unhandled(message); break;
        }
    }

    protected override void PostStop() => _waiters.ForEach(waiter => waiter.Tell(Reply.Refused<ProcessExit>(
        Error.Unavailable($"process {execId}: nobody watches it any more"))));

    internal static Error TooMany(string what) => new(
        ErrorKind.ResourceExhausted, $"{what}: too many wait for its exit ({ContainersSettings.Root}.waiters-max)");

    private void Release(ProcessExit exit)
    {
        _exit = exit;
        _waiters.ForEach(waiter => waiter.Tell(Reply.Done(exit)));
        _waiters.Clear();
    }
}
