// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Persistence.Tests.Journals;

public sealed class FullDiskSpecs : IDisposable
{
    private readonly Scratch _scratch = new();
    private bool _isMounted;

    public void Dispose()
    {
        if (_isMounted)
        {
            Run("umount", "-l", _scratch.Directory);
        }

        _scratch.Dispose();
    }

    [SkippableFact]
    public async Task A_full_disk_fails_the_write_and_the_journal_goes_on_when_there_is_space_again()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.UserName == "root", "mounts a tmpfs");
        _isMounted = Run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", _scratch.Directory) == 0;
        Skip.IfNot(_isMounted, "mount is not allowed here");
        using JournalStore store = _scratch.Open();
        await store.Append([Scratch.Row("task/default/a", 1)]);
        string filler = Path.Combine(_scratch.Directory, "filler");
        Fill(filler);
        JournalRow[] large = [Scratch.Row("task/default/a", 2, new TaskEvents.ShimLost(new string('x', 300_000)))];

        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => store.Append(large));
        File.Delete(filler);
        await store.Append(large);

        Assert.Equal(ErrorKind.ResourceExhausted, refused.Error.Kind);
        Assert.Contains("no space left on device", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, (await Scratch.ReadAll(store)).Count);
        Assert.Empty((await store.Verify(CancellationToken.None)).Damages);
    }

    private static void Fill(string file)
    {
        using FileStream filler = new(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] block = new byte[4096];
        try
        {
            while (filler.Length < 4 << 20)
            {
                filler.Write(block);
                filler.Flush();
            }
        }
        catch (IOException)
        {
            // Full: what the test wants.
        }
    }

    private static int Run(string command, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
