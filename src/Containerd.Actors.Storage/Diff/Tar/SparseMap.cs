// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Storage.Diff.Tar;

/// <summary>Which ranges of a sparse file are stored, in order and without overlap.</summary>
internal sealed class SparseMap
{
    private readonly List<(long Offset, long Length)> _ranges = [];
    private int _current;
    private long _within;

    /// <summary>Takes offset and length in turn; ranges must ascend and lie within the file.</summary>
    public static SparseMap From(IReadOnlyList<long> numbers, long size, LayerLimits limits)
    {
        if (numbers.Count % 2 != 0)
        {
            throw LayerLimits.Malformed("sparse map is incomplete");
        }

        if (numbers.Count / 2 > limits.MaxSparseRanges)
        {
            throw LayerLimits.Exceeded(nameof(LayerLimits.MaxSparseRanges), limits.MaxSparseRanges);
        }

        SparseMap map = new();
        long end = 0;
        for (int i = 0; i < numbers.Count; i += 2)
        {
            long offset = numbers[i];
            long length = numbers[i + 1];
            if (offset < end || length < 0 || offset > size || length > size - offset)
            {
                throw LayerLimits.Malformed("sparse map has a range out of order");
            }

            end = offset + length;
            if (length > 0)
            {
                map._ranges.Add((offset, length));
            }
        }

        return map;
    }

    /// <summary>Bytes stored.</summary>
    public long Stored => _ranges.Sum(static range => range.Length);

    /// <summary>Hands stored bytes on with their offsets in the file.</summary>
    public void Spread(ReadOnlySpan<byte> bytes, ITarSink sink)
    {
        while (bytes.Length > 0)
        {
            (long offset, long length) = _ranges[_current];
            int part = (int)Math.Min(bytes.Length, length - _within);
            sink.Content(offset + _within, bytes[..part]);
            bytes = bytes[part..];
            _within += part;
            if (_within == length)
            {
                _current++;
                _within = 0;
            }
        }
    }
}
