// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Linux.Compression;

/// <summary>Decompresses buffer by buffer with a library of the host. One caller at a time; disposing frees the library's memory.</summary>
public abstract class HostDecoder : IDisposable
{
    /// <summary>True where the compressed bytes may end: nothing is begun that is not finished.</summary>
    public abstract bool MayEnd { get; }

    /// <summary>True when what follows is not looked at any more.</summary>
    public virtual bool HasEnded => false;

    /// <summary>True when bytes may come out though none go in: the last output was filled to its end.</summary>
    public bool MayHold { get; private set; }

    /// <summary>Reads from the one and writes to the other until either is used up, or a part has ended.</summary>
    /// <param name="input">Compressed bytes; may be empty when <see cref="MayHold"/>.</param>
    /// <param name="output">Where to; not empty.</param>
    /// <returns>How many bytes were read and written; both may be 0 only with an empty input or when <see cref="HasEnded"/>.</returns>
    /// <exception cref="InvalidDataException">The bytes are damaged, or not of this format; nothing can be read any more.</exception>
    /// <exception cref="ObjectDisposedException">The decoder was disposed of.</exception>
    public (int Read, int Written) Decode(ReadOnlySpan<byte> input, Span<byte> output)
    {
        (int read, int written) = Step(input, output);
        MayHold = written == output.Length && !MayEnd;
        return read == 0 && written == 0 && !input.IsEmpty && !HasEnded
            ? throw new InvalidDataException("the library reads no more, and tells no reason")
            : (read, written);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>One call into the library.</summary>
    protected abstract (int Read, int Written) Step(ReadOnlySpan<byte> input, Span<byte> output);

    /// <summary>Frees the library's memory.</summary>
    protected abstract void Dispose(bool disposing);
}
