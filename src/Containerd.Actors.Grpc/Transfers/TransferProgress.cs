// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Protocol.Errors;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Says on the caller's progress stream how far an operation is. A caller that listens no more does not stop the operation.</summary>
/// <param name="stream">The caller's stream; null when it wants to hear nothing.</param>
public sealed class TransferProgress(LiveStream? stream)
{
    private bool _isLost;

    /// <summary>Says nothing.</summary>
    public static TransferProgress None { get; } = new(null);

    /// <summary>Tells an event of the whole operation.</summary>
    public Task TellAsync(string text, CancellationToken cancellationToken) => TellAsync(new Progress { Event = text }, cancellationToken);

    /// <summary>Tells one event.</summary>
    public async Task TellAsync(Progress progress, CancellationToken cancellationToken)
    {
        if (stream is null || _isLost)
        {
            return;
        }

        try
        {
            await stream.SendAsync(progress, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException)
        {
            _isLost = true;
        }
    }

    /// <summary>Ends the stream: nothing more will come.</summary>
    public void Close() => stream?.Close();
}
