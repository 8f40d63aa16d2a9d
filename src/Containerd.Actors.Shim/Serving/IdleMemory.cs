// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Memory;

namespace Containerd.Actors.Shim.Serving;

/// <summary>Gives back, some time after a process was started, the memory that starting it took: most shims do nothing from then on.</summary>
/// <remarks>Containers that live shorter than that never pay for it.</remarks>
internal sealed class IdleMemory : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly Timer _timer = new(_ => ResidentMemory.GiveBack(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Begins to wait anew.</summary>
    public void Later()
    {
        try
        {
            _timer.Change(Pause, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The shim is ending.
        }
    }

    /// <inheritdoc />
    public void Dispose() => _timer.Dispose();
}
