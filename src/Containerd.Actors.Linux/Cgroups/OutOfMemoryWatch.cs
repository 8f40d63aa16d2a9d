// SPDX-License-Identifier: Apache-2.0

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
/// <c>memory.events</c>, whose count <c>oom_kill</c> rises. Both also tell of the end of the cgroup, which is no news. The event and the
/// count are there before the process ends; that somebody hears of them may take longer.
/// </remarks>
public sealed partial class OutOfMemoryWatch : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const uint Modified = 2;
    private const int ChangesLength = 4096;
    private const string LegacyFile = "memory.oom_control";
    private const string UnifiedFile = "memory.events";
    private const string CountField = "oom_kill ";
    private const string C = "libc.so.6";
    private readonly Lock _telling = new();
    private readonly PipeEnd _source;
    private readonly IDisposable? _control;
    private readonly string _file;
    private readonly Action _happened;
    private ulong _told;

    private OutOfMemoryWatch(PipeEnd source, IDisposable? control, string file, Action happened)
    {
        (_source, _control, _file, _happened) = (source, control, file, happened);
        _told = IsUnified ? Kills() : 0;
    }

    private bool IsUnified => _control is null;

    /// <summary>Watches the memory cgroup in a directory.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="isUnified">Whether it is one of the unified hierarchy.</param>
    /// <param name="happened">Called for each time, one call after the other; must not block.</param>
    /// <exception cref="Core.Linux.LinuxException">The kernel refused.</exception>
    /// <exception cref="IOException">The cgroup is gone.</exception>
    public static OutOfMemoryWatch Start(string directory, bool isUnified, Action happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        OutOfMemoryWatch watch = isUnified ? StartUnified(directory, happened) : StartLegacy(directory, happened);
        _ = watch.FollowAsync();
        return watch;
    }

    /// <summary>Tells now of what has happened and was not told of yet. For whoever has seen a process end and removes the cgroup next.</summary>
    public void Complete()
    {
        // The signal is taken and told of in one, so that who finds it taken knows that it was told of.
        lock (_telling)
        {
            if (HasHappened(isSignalled: _source.TryRead(stackalloc byte[ChangesLength]) > 0))
            {
                _happened();
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _source.Dispose();
        _control?.Dispose();
    }

    private static OutOfMemoryWatch StartLegacy(string directory, Action happened)
    {
        string file = Path.Combine(directory, LegacyFile);
        SafeFileHandle events = Checked(eventfd(0, CloseOnExec | NonBlocking), "eventfd");
        SafeFileHandle control = File.OpenHandle(file);
        string line = string.Create(
            CultureInfo.InvariantCulture, $"{(int)events.DangerousGetHandle()} {(int)control.DangerousGetHandle()}");
        File.WriteAllBytes(Path.Combine(directory, "cgroup.event_control"), Encoding.ASCII.GetBytes(line));
        return new OutOfMemoryWatch(new PipeEnd(events), control, file, happened);
    }

    private static OutOfMemoryWatch StartUnified(string directory, Action happened)
    {
        SafeFileHandle watch = Checked(inotify_init1(CloseOnExec | NonBlocking), "inotify_init1");
        string file = Path.Combine(directory, UnifiedFile);
        return inotify_add_watch(watch, file, Modified) >= 0
            ? new OutOfMemoryWatch(new PipeEnd(watch), null, file, happened)
            : throw LinuxErrors.Last("inotify_add_watch", file);
    }

    private static SafeFileHandle Checked(SafeFileHandle handle, string call) => handle.IsInvalid ? throw LinuxErrors.Last(call) : handle;

    private async Task FollowAsync()
    {
        try
        {
            while (true)
            {
                await _source.ReadableAsync().ConfigureAwait(false);
                Complete();
            }
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
        {
            // Disposed: nobody wants to hear more.
        }
    }

    // eventfd(2): what is read is never zero. The removal of the cgroup is signalled too.
    private bool HasHappened(bool isSignalled)
    {
        if (!IsUnified)
        {
            return isSignalled && File.Exists(_file);
        }

        ulong before = _told;
        return (_told = Math.Max(before, Kills())) > before;
    }

    private ulong Kills()
    {
        try
        {
            string? line = File.ReadLines(_file).FirstOrDefault(line => line.StartsWith(CountField, StringComparison.Ordinal));
            return line is null ? 0 : ulong.Parse(line.AsSpan(CountField.Length), NumberStyles.None, CultureInfo.InvariantCulture);
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
