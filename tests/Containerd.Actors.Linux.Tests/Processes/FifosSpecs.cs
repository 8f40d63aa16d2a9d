// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Tests.Processes;

public sealed class FifosSpecs : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly Scratch _scratch = new();

    private string Fifo => Path.Combine(_scratch.Root, "fifo");

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_writer_waits_for_a_reader_and_loses_nothing_then()
    {
        PipeEnd.CreateFifo(Fifo, Owner);
        Task<SafeFileHandle?> opening = Fifos.OpenWriterAsync(Fifo, Soon);
        Assert.False(opening.IsCompleted);
        using SafeFileHandle reader = Fifos.OpenReader(Fifo);
        await using (FileStream writer = new((await opening)!, FileAccess.Write, bufferSize: 0))
        {
            Assert.True(Fifos.IsFifo(writer.SafeFileHandle));
            writer.Write("kept"u8);
        }

        await using FileStream read = new(reader, FileAccess.Read, bufferSize: 0);
        Assert.Equal("kept", await new StreamReader(read).ReadToEndAsync());
    }

    [Fact]
    public async Task Where_nobody_comes_there_is_no_writer()
    {
        PipeEnd.CreateFifo(Fifo, Owner);
        Assert.Null(await Fifos.OpenWriterAsync(Fifo, TimeSpan.Zero));
    }

    [Fact]
    public async Task A_plain_file_is_opened_at_once()
    {
        await File.WriteAllTextAsync(Fifo, "");
        using SafeFileHandle? writer = await Fifos.OpenWriterAsync(Fifo, TimeSpan.Zero);
        Assert.False(Fifos.IsFifo(writer!));
    }

    [Fact]
    public async Task What_is_not_there_is_said() =>
        Assert.Equal("ENOENT", (await Assert.ThrowsAsync<LinuxException>(() => Fifos.OpenWriterAsync(Fifo, Soon))).Error.Name);
}
