// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Storage.Diff;

/// <summary>Decompresses and hashes a layer on a thread of its own and hands over buffers through a bounded queue.</summary>
/// <remarks>The thread has ended when <see cref="Dispose"/> returns; the compressed stream is no longer used then.</remarks>
internal sealed class LayerFeed : IDisposable
{
    private const int BufferSize = 256 * 1024;
    private const int QueueDepth = 4;

    private readonly BlockingCollection<(byte[] Bytes, int Length)> _queue = new(QueueDepth);
    private readonly CancellationTokenSource _stop;
    private readonly CountingStream _source;
    private readonly LayerCompression? _compression;
    private readonly Tar.LayerLimits _limits;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Thread _thread;
    private Exception? _failure;

    public LayerFeed(Stream compressed, LayerCompression? compression, Tar.LayerLimits limits, CancellationToken cancellation)
    {
        _source = new CountingStream(compressed);
        _compression = compression;
        _limits = limits;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _thread = new Thread(Run) { IsBackground = true, Name = "layer decompression" };
        _thread.Start();
    }

    /// <summary>Uncompressed bytes handed over.</summary>
    public long Size { get; private set; }

    /// <summary>Digest of all bytes; valid after the last buffer.</summary>
    public Digest DiffId => Digest.FromHash("sha256", _hash.GetCurrentHash());

    /// <summary>Calls for each buffer in order, and throws what the decompression threw.</summary>
    public void ReadAll(Action<ReadOnlySpan<byte>> feed)
    {
        foreach ((byte[] bytes, int length) in _queue.GetConsumingEnumerable(_stop.Token))
        {
            try
            {
                feed(bytes.AsSpan(0, length));
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(bytes);
            }
        }

        _thread.Join();
        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        while (_queue.TryTake(out (byte[] Bytes, int Length) left))
        {
            ArrayPool<byte>.Shared.Return(left.Bytes);
        }

        _queue.Dispose();
        _hash.Dispose();
        _stop.Dispose();
    }

    // Whatever fails here belongs to the caller of ReadAll: an exception that left this thread would end the process.
    private void Run()
    {
        try
        {
            Decompress();
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
        {
            _failure = Tar.LayerLimits.Malformed($"decompression failed: {failure.Message}", failure);
        }
        catch (Exception failure)
        {
            _failure = failure;
        }
        finally
        {
            _queue.CompleteAdding();
        }
    }

    private void Decompress()
    {
        byte[] start = new byte[4];
        int known = _source.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        _source.PutBack(start.AsSpan(0, known));
        LayerCompression compression = _compression ?? LayerCompressions.Sniff(start.AsSpan(0, known));
        using Stream plain = LayerCompressions.Decompress(_source, compression);
        while (true)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
            int length = 0;
            try
            {
                length = plain.ReadAtLeast(buffer.AsSpan(0, BufferSize), BufferSize, throwOnEndOfStream: false);
                _hash.AppendData(buffer.AsSpan(0, length));
                Size += length;
                Check(compression);
                if (length > 0)
                {
                    _queue.Add((buffer, length), _stop.Token);
                }
            }
            catch
            {
                ArrayPool<byte>.Shared.Return(buffer);
                throw;
            }

            if (length == 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            if (length < BufferSize)
            {
                return;
            }
        }
    }

    private void Check(LayerCompression compression)
    {
        if (Size > _limits.MaxSize)
        {
            throw Tar.LayerLimits.Exceeded(nameof(_limits.MaxSize), _limits.MaxSize);
        }

        if (compression != LayerCompression.None && Size > _limits.RatioGrace && Size / _limits.MaxRatio > _source.Count)
        {
            throw Tar.LayerLimits.Exceeded(nameof(_limits.MaxRatio), _limits.MaxRatio);
        }
    }
}
