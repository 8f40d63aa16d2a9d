// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Storage.Diff.Tar;

/// <summary>Reads an archive that is pushed to it in pieces of any size and hands its entries to a sink.</summary>
/// <remarks>
/// Reads ustar, GNU and pax, with long names, sparse files (old GNU, 0.0, 0.1, 1.0) and attributes. The archive is hostile: whatever
/// it holds, the reader throws nothing but a <see cref="RefusedException"/>, and memory is bounded by <see cref="LayerLimits"/>.
/// <code>
/// Header --> (extended header)* --> [sparse map] --> Content --> Header ... --> two zero blocks --> Finished
/// </code>
/// Bytes behind the two zero blocks are ignored. As with GNU tar and Go, the blocks may be missing between two entries.
/// </remarks>
internal sealed class TarReader(ITarSink sink, LayerLimits limits)
{
    private const int BlockSize = 512;

    private readonly byte[] _block = new byte[BlockSize];
    private readonly TarHeaderReader _headers = new(limits);
    private int _filled;
    private State _state = State.Header;
    private bool _zeroBlock;
    private long _entries;
    private long _total;
    private long _content;
    private long _padding;
    private byte[] _extended = [];
    private int _extendedFilled;
    private SparseMap? _sparse;
    private long _offset;

    private enum State
    {
        Header,
        Extended,
        SparseExtension,
        SparseText,
        Content,
        Padding,
        Finished,
    }

    /// <summary>True if two zero blocks were seen.</summary>
    public bool IsFinished => _state == State.Finished;

    /// <summary>Takes in the next bytes.</summary>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int used = _state switch
            {
                State.Finished => bytes.Length,
                State.Content => TakeContent(bytes),
                State.Padding => TakePadding(bytes),
                State.Extended => TakeExtended(bytes),
                _ => TakeBlock(bytes),
            };
            bytes = bytes[used..];
        }
    }

    /// <summary>Says that no more bytes come; an archive that ends within an entry is refused.</summary>
    /// <remarks>The zero blocks at the end and the padding of the last entry may be missing: images in use lack them, and containerd takes them.</remarks>
    public void Complete()
    {
        bool between = !_headers.HasPending && (_state == State.Padding || (_state == State.Header && _filled == 0));
        if (!between && _state != State.Finished)
        {
            throw LayerLimits.Malformed("unexpected end");
        }
    }

    private int TakeBlock(ReadOnlySpan<byte> bytes)
    {
        int part = Math.Min(BlockSize - _filled, bytes.Length);
        bytes[..part].CopyTo(_block.AsSpan(_filled));
        _filled += part;
        if (_filled == BlockSize)
        {
            _filled = 0;
            switch (_state)
            {
                case State.Header: ReadHeader(); break;
                case State.SparseExtension: ReadSparseExtension(); break;
                default: ReadSparseText(); break;
            }
        }

        return part;
    }

    private void ReadHeader()
    {
        if (!_block.AsSpan().ContainsAnyExcept((byte)0))
        {
            _state = _zeroBlock ? State.Finished : State.Header;
            _zeroBlock = true;
            if (_headers.HasPending)
            {
                throw LayerLimits.Malformed("extended header without an entry");
            }

            return;
        }

        if (_zeroBlock)
        {
            throw LayerLimits.Malformed("a zero block between entries");
        }

        _headers.Parse(_block);
        if (_headers.ExtendedSize is { } size)
        {
            if (size > limits.MaxHeaderSize)
            {
                throw LayerLimits.Exceeded(nameof(LayerLimits.MaxHeaderSize), limits.MaxHeaderSize);
            }

            _extended = new byte[size];
            _extendedFilled = 0;
            _padding = Rest(size);
            _state = size == 0 ? State.Header : State.Extended;
            if (size == 0)
            {
                _headers.TakeExtended(_extended);
            }

            return;
        }

        if (++_entries > limits.MaxEntries)
        {
            throw LayerLimits.Exceeded(nameof(LayerLimits.MaxEntries), limits.MaxEntries);
        }

        _content = _headers.StoredSize;
        _padding = Rest(_content);
        _state = _headers.SparseForm switch
        {
            SparseForm.OldGnuExtended => State.SparseExtension,
            SparseForm.Text => State.SparseText,
            _ => State.Content,
        };
        if (_state == State.Content)
        {
            BeginEntry();
        }
        else if (_state == State.SparseText && _content < BlockSize)
        {
            throw LayerLimits.Malformed("sparse map is missing");
        }
    }

    private void ReadSparseExtension()
    {
        if (!_headers.AddSparseExtension(_block))
        {
            BeginEntry();
        }
    }

    private void ReadSparseText()
    {
        _content -= BlockSize;
        if (_headers.AddSparseText(_block))
        {
            BeginEntry();
        }
        else if (_content < BlockSize)
        {
            throw LayerLimits.Malformed("sparse map is incomplete");
        }
    }

    private void BeginEntry()
    {
        TarEntry entry = _headers.TakeEntry(out _sparse);
        _total = entry.Size > limits.MaxSize - _total
            ? throw LayerLimits.Exceeded(nameof(LayerLimits.MaxSize), limits.MaxSize)
            : _total + entry.Size;
        if (_sparse is not null && _sparse.Stored != _content)
        {
            throw LayerLimits.Malformed($"entry \"{entry.Name}\": sparse map does not match the stored size");
        }

        _offset = 0;
        sink.Begin(entry);
        _state = State.Content;
        if (_content == 0)
        {
            EndEntry();
        }
    }

    private int TakeContent(ReadOnlySpan<byte> bytes)
    {
        int part = (int)Math.Min(_content, bytes.Length);
        if (_sparse is { } sparse)
        {
            sparse.Spread(bytes[..part], sink);
        }
        else
        {
            sink.Content(_offset, bytes[..part]);
        }

        _offset += part;
        _content -= part;
        if (_content == 0)
        {
            EndEntry();
        }

        return part;
    }

    private void EndEntry()
    {
        sink.End();
        _state = _padding == 0 ? State.Header : State.Padding;
    }

    private int TakePadding(ReadOnlySpan<byte> bytes)
    {
        int part = (int)Math.Min(_padding, bytes.Length);
        _padding -= part;
        _state = _padding == 0 ? State.Header : State.Padding;
        return part;
    }

    private int TakeExtended(ReadOnlySpan<byte> bytes)
    {
        int part = Math.Min(_extended.Length - _extendedFilled, bytes.Length);
        bytes[..part].CopyTo(_extended.AsSpan(_extendedFilled));
        _extendedFilled += part;
        if (_extendedFilled == _extended.Length)
        {
            _headers.TakeExtended(_extended);
            _extended = [];
            _state = _padding == 0 ? State.Header : State.Padding;
        }

        return part;
    }

    private static long Rest(long size) => (BlockSize - (size % BlockSize)) % BlockSize;
}
