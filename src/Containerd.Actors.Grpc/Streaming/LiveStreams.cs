// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Containerd.Actors.Core.Transfers;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Grpc.Streaming;

/// <summary>The open calls of <c>Streaming.Stream</c> by namespace and id.</summary>
/// <remarks>
/// A live stream is a connection, and nothing of it can outlive the daemon or be told to another actor system: so it is held by the
/// face that serves the connection. Its number is bounded by the calls that a connection may have open.
/// </remarks>
public sealed class LiveStreams : IByteStreams
{
    private readonly ConcurrentDictionary<(string Namespace, string Id), LiveStream> _streams = new();

    /// <summary>How many are open.</summary>
    public int Count => _streams.Count;

    /// <summary>Makes a stream findable.</summary>
    /// <exception cref="RefusedException">Another stream of the namespace has the id.</exception>
    public void Add(LiveStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!_streams.TryAdd((stream.Namespace, stream.Id), stream))
        {
            throw new RefusedException(Error.AlreadyExists($"stream \"{stream.Id}\""));
        }
    }

    /// <summary>The stream of this id.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public LiveStream Get(string ns, string id) => _streams.TryGetValue((ns, id), out LiveStream? stream)
        ? stream
        : throw new RefusedException(Error.NotFound($"stream \"{id}\""));

    /// <inheritdoc />
    public Stream OpenRead(string ns, string id) => new IncomingByteStream(Get(ns, id));

    /// <inheritdoc />
    public Stream OpenWrite(string ns, string id) => new OutgoingByteStream(Get(ns, id));

    /// <summary>Makes the id free again; done by whoever added the stream.</summary>
    public void Remove(LiveStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _streams.TryRemove(KeyValuePair.Create((stream.Namespace, stream.Id), stream));
    }
}
