// SPDX-License-Identifier: Apache-2.0

using Containerd.Types.Transfer;
using Google.Protobuf;

namespace Containerd.Actors.Client.Transfers;

/// <summary>Bytes over a <see cref="ClientStream"/>: who receives grants a number of bytes, who sends never sends more.</summary>
public static class ByteStreams
{
    private const int Window = 65536;
    private const int ChunkBytesMax = 32768;

    /// <summary>Sends everything that a source has, and says that it was all.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="source">The bytes.</param>
    /// <param name="progress">Told how many were sent.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task SendAsync(this ClientStream stream, Stream source, Action<long> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(progress);
        byte[] chunk = new byte[ChunkBytesMax];
        long granted = 0;
        long sent = 0;
        for (int count; (count = await source.ReadAsync(chunk, cancellation).ConfigureAwait(false)) > 0;)
        {
            for (int offset = 0; offset < count;)
            {
                while (granted == 0)
                {
                    if (await stream.ReceiveAsync(WindowUpdate.Parser, cancellation).ConfigureAwait(false) is not { } grant)
                    {
                        // The daemon wants no more; its answer to the transfer tells why.
                        return;
                    }

                    granted += Math.Max(grant.Update, 0);
                }

                int part = (int)Math.Min(granted, count - offset);
                if (!await stream.TrySendAsync(new Data { Data_ = ByteString.CopyFrom(chunk, offset, part) }, cancellation).ConfigureAwait(false))
                {
                    return;
                }

                offset += part;
                granted -= part;
                sent += part;
                progress(sent);
            }
        }

        await stream.CompleteAsync().ConfigureAwait(false);
    }

    /// <summary>Receives everything that the daemon sends.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="target">Where the bytes go.</param>
    /// <param name="progress">Told how many have come.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task ReceiveAsync(this ClientStream stream, Stream target, Action<long> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(progress);
        long granted = 0;
        for (long received = 0; ; progress(received))
        {
            if (granted < Window)
            {
                // The daemon may have sent its last bytes and be gone: the reading below finds them, and why it went.
                await stream.TrySendAsync(new WindowUpdate { Update = Window }, cancellation).ConfigureAwait(false);
                granted += Window;
            }

            if (await stream.ReceiveAsync(Data.Parser, cancellation).ConfigureAwait(false) is not { } data)
            {
                return;
            }

            await target.WriteAsync(data.Data_.Memory, cancellation).ConfigureAwait(false);
            granted -= data.Data_.Length;
            received += data.Data_.Length;
        }
    }
}
