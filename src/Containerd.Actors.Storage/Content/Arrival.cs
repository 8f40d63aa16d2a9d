// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Storage.Content;

/// <summary>How far an upload is, told by the one thread that writes it to those that read it meanwhile.</summary>
/// <remarks>
/// <code>
/// coming --Advance*--> coming --Complete--> whole
///                         \--Break-------> broken
/// </code>
/// The first end stays. Bytes that were told are in the file, and are its bytes as long as it is not broken.
/// </remarks>
internal sealed class Arrival
{
    private readonly object _gate = new();
    private long _available;
    private bool _isWhole;
    private bool _isBroken;

    /// <summary>So many bytes are in the file.</summary>
    public void Advance(long available) => Change(() => _available = available);

    /// <summary>They are all, and they are what they were to be.</summary>
    public void Complete() => Change(() => _isWhole = !_isBroken);

    /// <summary>They lead nowhere.</summary>
    public void Break() => Change(() => _isBroken = !_isWhole);

    /// <summary>Makes those who wait look again whether they still want to.</summary>
    public void Wake() => Change(static () => { });

    /// <summary>Waits until there are more bytes than these, or it is known that there will be none; answers how many there are.</summary>
    /// <param name="offset">Bytes that the reader has had.</param>
    /// <param name="isWanted">False when the wait is to end.</param>
    /// <returns>The bytes in the file: more than the offset, or as many when that is all. Null when it is broken or not wanted.</returns>
    public long? WaitBeyond(long offset, Func<bool> isWanted)
    {
        lock (_gate)
        {
            while (!_isBroken && isWanted())
            {
                if (_available > offset || _isWhole)
                {
                    return _available;
                }

                Monitor.Wait(_gate);
            }

            return null;
        }
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            Monitor.PulseAll(_gate);
        }
    }
}
