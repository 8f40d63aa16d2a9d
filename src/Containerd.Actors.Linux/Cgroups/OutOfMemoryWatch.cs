// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Containerd.Actors.Linux.Interop;
using Containerd.Actors.Linux.Processes;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Cgroups;

/// <summary>Hears from the kernel when it ends a process of a cgroup for want of memory; holds no thread.</summary>
/// <remarks>
/// v1: an eventfd(2) that is registered with <c>memory.oom_control</c> in <c>cgroup.event_control</c>. v2: inotify(7) on
/// <c>memory.events</c>, whose count <c>oom_kill</c> rises. Both also tell of the end of the cgroup, which is no news.
/// </remarks>
public sealed partial class OutOfMemoryWatch : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const uint Modified = 2;
    private const string C = "libc.so.6";
    private readonly PipeEnd _source;
    private readonly IDisposable? _control;

    private OutOfMemoryWatch(PipeEnd source, IDisposable? control)
    {
        (_source, _control) = (source, control);
    }

    /// <summary>Watches the memory cgroup in a directory.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="isUnified">Whether it is one of the unified hierarchy.</param>
    /// <param name="happened">Called for each time; must not block.</param>
    /// <exception cref="Core.Linux.LinuxException">The kernel refused.</exception>
    /// <exception cref="IOException">The cgroup is gone.</exception>
    public static OutOfMemoryWatch Start(string directory, bool isUnified, Action happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        OutOfMemoryWatch watch = isUnified ? StartUnified(directory) : StartLegacy(directory);
        _ = isUnified ? watch.FollowUnifiedAsync(directory, happened) : watch.FollowLegacyAsync(directory, happened);
        return watch;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _source.Dispose();
        _control?.Dispose();
    }

    private static OutOfMemoryWatch StartLegacy(string directory)
    {
        SafeFileHandle events = Checked(eventfd(0, CloseOnExec | NonBlocking), "eventfd");
        SafeFileHandle control = File.OpenHandle(Path.Combine(directory, "memory.oom_control"));
        string line = string.Create(
            CultureInfo.InvariantCulture, $"{(int)events.DangerousGetHandle()} {(int)control.DangerousGetHandle()}");
        File.WriteAllBytes(Path.Combine(directory, "cgroup.event_control"), Encoding.ASCII.GetBytes(line));
        return new OutOfMemoryWatch(new PipeEnd(events), control);
    }

    private static OutOfMemoryWatch StartUnified(string directory)
    {
        SafeFileHandle watch = Checked(inotify_init1(CloseOnExec | NonBlocking), "inotify_init1");
        string file = Path.Combine(directory, "memory.events");
        return inotify_add_watch(watch, file, Modified) >= 0
            ? new OutOfMemoryWatch(new PipeEnd(watch), null)
            : throw LinuxErrors.Last("inotify_add_watch", file);
    }

    private static SafeFileHandle Checked(SafeFileHandle handle, string call) => handle.IsInvalid ? throw LinuxErrors.Last(call) : handle;

    private async Task FollowLegacyAsync(string directory, Action happened)
    {
        byte[] count = new byte[sizeof(ulong)];
        while (await ReadAsync(count).ConfigureAwait(false) > 0)
        {
            // The removal of the cgroup is signalled too.
            if (Directory.Exists(directory) && BinaryPrimitives.ReadUInt64LittleEndian(count) > 0)
            {
                happened();
            }
        }
    }

    private async Task FollowUnifiedAsync(string directory, Action happened)
    {
        byte[] changes = new byte[4096];
        ulong last = Kills(directory);
        while (await ReadAsync(changes).ConfigureAwait(false) > 0)
        {
            ulong now = Kills(directory);
            if (now > last)
            {
                happened();
            }

            last = Math.Max(last, now);
        }
    }

    private async ValueTask<int> ReadAsync(byte[] buffer)
    {
        try
        {
            return await _source.ReadAsync(buffer).ConfigureAwait(false);
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
        {
            return 0;
        }
    }

    private static ulong Kills(string directory)
    {
        try
        {
            string? line = File.ReadLines(Path.Combine(directory, "memory.events")).FirstOrDefault(line => line.StartsWith("oom_kill ", StringComparison.Ordinal));
            return line is null ? 0 : ulong.Parse(line.AsSpan("oom_kill ".Length), NumberStyles.None, CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    [LibraryImport(C, SetLastError = true)]
    private static partial SafeFileHandle eventfd(uint initial, int flags);

    [LibraryImport(C, SetLastError = true)]
    private static partial SafeFileHandle inotify_init1(int flags);

    [LibraryImport(C, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inotify_add_watch(SafeFileHandle watch, string path, uint mask);
}
