// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Storage.Diff;

/// <summary>A program that turns layers of one media type into another.</summary>
/// <param name="Name">Its name, by which callers give it payloads.</param>
/// <param name="Accepts">Media types it reads.</param>
/// <param name="Returns">Media type it writes.</param>
/// <param name="Path">Absolute path of the executable.</param>
/// <param name="Arguments">Its arguments, without the zeroth.</param>
/// <param name="Environment">Variables it gets beside the daemon's.</param>
public sealed record StreamProcessor(
    string Name, ImmutableArray<string> Accepts, string Returns, string Path, ImmutableArray<string> Arguments, ImmutableArray<string> Environment);

/// <summary>Which programs a layer runs through before it can be extracted.</summary>
/// <param name="processors">The programs; the first that accepts a media type takes it.</param>
public sealed class StreamProcessors(ImmutableArray<StreamProcessor> processors)
{
    // A chain of programs that goes in a circle would never end.
    private const int ChainMax = 8;

    /// <summary>No programs: layers are extracted as they are.</summary>
    public static StreamProcessors None { get; } = new([]);

    /// <summary>The programs for a media type, in order, and the media type that comes out of the last.</summary>
    /// <exception cref="RefusedException">Nothing makes a layer of that type, or the programs go in a circle.</exception>
    public (ImmutableArray<StreamProcessor> Chain, string MediaType) Chain(string mediaType)
    {
        ImmutableArray<StreamProcessor>.Builder chain = ImmutableArray.CreateBuilder<StreamProcessor>();
        string current = mediaType;
        while (current != AppliedLayer.MediaType && processors.FirstOrDefault(processor => processor.Accepts.Contains(current)) is { } next)
        {
            if (chain.Count == ChainMax)
            {
                throw new RefusedException(Error.Invalid($"stream processors: {mediaType} is not done after {ChainMax} programs"));
            }

            chain.Add(next);
            current = next.Returns;
        }

        // What no program accepts must be a layer, which is refused here if it is not.
        LayerCompressions.Of(current);
        return (chain.ToImmutable(), current);
    }

    /// <summary>Starts the programs for a layer; without any the stream is the blob itself.</summary>
    /// <param name="blob">The layer; it stays the caller's.</param>
    /// <param name="mediaType">Its media type.</param>
    /// <param name="payloads">What callers have for programs, by their names.</param>
    /// <param name="cancellation">Kills the programs.</param>
    public ProcessedLayer Start(
        Stream blob, string mediaType, IReadOnlyDictionary<string, AnyValue> payloads, CancellationToken cancellation)
    {
        (ImmutableArray<StreamProcessor> chain, string last) = Chain(mediaType);
        return ProcessedLayer.Start(blob, chain, mediaType, last, payloads, cancellation);
    }
}
