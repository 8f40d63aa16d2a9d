// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Running;

/// <summary>Copies one stream to another on a thread of its own, and can say whether it still moves.</summary>
internal sealed class StreamCopy
{
    private const int BufferBytes = 64 * 1024;
    private static readonly TimeSpan QuietMax = TimeSpan.FromSeconds(2);

    private long _moved;
    private volatile bool _isWriting;

    private StreamCopy(Stream source, Stream target) =>
        Finished = Task.Factory.StartNew(
            () => Copy(source, target), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Done when the source has ended or the target is gone. Never fails.</summary>
    public Task Finished { get; }

    /// <summary>Starts copying.</summary>
    public static StreamCopy Start(Stream source, Stream target) => new(source, target);

    /// <summary>
    /// Waits for the end of the source. A process that has ended may have left children that hold its output open: after two
    /// seconds without a byte they are not waited for. A reader of cactl's output that is slow is.
    /// </summary>
    public async Task DrainAsync(TimeProvider time)
    {
        long seen = -1;
        while (!Finished.IsCompleted && (_isWriting || Interlocked.Read(ref _moved) != seen))
        {
            seen = Interlocked.Read(ref _moved);
            await Task.WhenAny(Finished, Task.Delay(QuietMax, time)).ConfigureAwait(false);
        }
    }

    private void Copy(Stream source, Stream target)
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            for (int read = source.Read(buffer); read > 0; read = source.Read(buffer))
            {
                _isWriting = true;
                target.Write(buffer, 0, read);
                target.Flush();
                _isWriting = false;
                Interlocked.Add(ref _moved, read);
            }
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException)
        {
            // The other side hung up, or the pipes were taken away after the end: either way there is nothing left to copy.
            _isWriting = false;
        }
    }
}
