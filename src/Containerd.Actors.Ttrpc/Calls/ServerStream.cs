// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Ttrpc.Calls;

/// <summary>A stream that a server has taken in and not yet answered for good.</summary>
/// <param name="queue">Where the client's data goes; null if the method is unary.</param>
internal sealed class ServerStream(MessageQueue? queue)
{
    private int _finished;

    public MessageQueue? Queue { get; } = queue;

    /// <summary>True for exactly one caller: a stream is answered for good once.</summary>
    public bool Finish() => Interlocked.Exchange(ref _finished, 1) == 0;
}
