// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Diff;

/// <summary>Decompresses a layer on one thread of its own, hashes it on another, and hands over buffers through bounded queues.</summary>
/// <remarks>
/// <code>
/// compressed --decompress--> buffer --+--> hash
///                                     +--> whoever calls ReadAll
/// </code>
/// A buffer is used again when both have had it. The threads have ended when <see cref="Dispose"/> returns; the compressed stream is no
/// longer used then.
/// </remarks>
internal sealed class LayerFeed : IDisposable
{
    private const int BufferSize = 256 * 1024;
    private const int QueueDepth = 4;

    private readonly BlockingCollection<Buffer> _queue = new(QueueDepth);
    private readonly BlockingCollection<Buffer> _hashQueue = new(QueueDepth);
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenRegistration _giveUp;
    private readonly CountingStream _source;
    private readonly LayerCompression? _compression;
    private readonly Tar.LayerLimits _limits;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Thread _decompression;
    private readonly Thread _hashing;
    private Exception? _failure;
    private Exception? _hashFailure;

    public LayerFeed(Stream compressed, LayerCompression? compression, Tar.LayerLimits limits, CancellationToken cancellation)
    {
        _source = new CountingStream(compressed);
        _compression = compression;
        _limits = limits;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (compressed is ArrivingStream arriving)
        {
            // Bytes that still come may take long to come: whoever wants no more of them does not wait for that.
            _giveUp = _stop.Token.Register(arriving.GiveUp);
        }

        _hashing = new Thread(Hash) { IsBackground = true, Name = "layer digest" };
        _hashing.Start();
        _decompression = new Thread(Run) { IsBackground = true, Name = "layer decompression" };
        _decompression.Start();
    }

    /// <summary>Uncompressed bytes handed over.</summary>
    public long Size { get; private set; }

    /// <summary>Digest of all bytes; valid after the last buffer.</summary>
    public Digest DiffId => Digest.FromHash("sha256", _hash.GetCurrentHash());

    /// <summary>Calls for each buffer in order, and throws what the decompression threw.</summary>
    public void ReadAll(Action<ReadOnlySpan<byte>> feed)
    {
        foreach (Buffer buffer in _queue.GetConsumingEnumerable(_stop.Token))
        {
            try
            {
                feed(buffer.Filled);
            }
            finally
            {
                buffer.Release();
            }
        }

        _decompression.Join();
        _hashing.Join();
        if ((_failure ?? _hashFailure) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _decompression.Join();
        _hashing.Join();
        _giveUp.Dispose();
        while (_queue.TryTake(out Buffer? left))
        {
            left.Release();
        }

        _queue.Dispose();
        _hashQueue.Dispose();
        _source.Dispose();
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
            _hashQueue.CompleteAdding();
            _queue.CompleteAdding();
        }
    }

    // Takes every buffer, so that whoever fills them never waits for it in vain.
    private void Hash()
    {
        foreach (Buffer buffer in _hashQueue.GetConsumingEnumerable())
        {
            try
            {
                _hash.AppendData(buffer.Filled);
            }
            catch (Exception failure)
            {
                _hashFailure ??= failure;
            }
            finally
            {
                buffer.Release();
            }
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
            byte[] bytes = ContentBuffers.Rent(BufferSize);
            int length = 0;
            try
            {
                length = plain.ReadAtLeast(bytes.AsSpan(0, BufferSize), BufferSize, throwOnEndOfStream: false);
                Size += length;
                Check(compression);
            }
            catch
            {
                ContentBuffers.Return(bytes);
                throw;
            }

            if (length == 0)
            {
                ContentBuffers.Return(bytes);
                return;
            }

            Hand(new Buffer(bytes, length));
            if (length < BufferSize)
            {
                return;
            }
        }
    }

    private void Hand(Buffer buffer)
    {
        int untaken = 2;
        try
        {
            _hashQueue.Add(buffer, _stop.Token);
            untaken = 1;
            _queue.Add(buffer, _stop.Token);
            untaken = 0;
        }
        finally
        {
            for (; untaken > 0; untaken--)
            {
                buffer.Release();
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

    // Two read it, the hash and the extraction; whoever is done with it last gives it back.
    private sealed class Buffer(byte[] bytes, int length)
    {
        private int _readers = 2;

        public ReadOnlySpan<byte> Filled => bytes.AsSpan(0, length);

        public void Release()
        {
            if (Interlocked.Decrement(ref _readers) == 0)
            {
                ContentBuffers.Return(bytes);
            }
        }
    }
}
