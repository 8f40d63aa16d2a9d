// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Memory;

namespace Containerd.Actors.Linux.Tests.Memory;

/// <summary>What a process that does nothing gives back.</summary>
public sealed class ResidentMemorySpecs
{
    private const string Table = """
        55d000000000-55d000002000 r-xp 00001000 fe:00 1234                       /usr/bin/some program
        Size:                  8 kB
        Rss:                   4 kB
        Anonymous:             0 kB
        VmFlags: rd ex mr mw me
        55d000002000-55d000003000 r--p 00003000 fe:00 1234                       /usr/bin/relocated
        Rss:                   4 kB
        Anonymous:             4 kB
        55d000003000-55d000004000 rw-p 00004000 fe:00 1234                       /usr/bin/writable
        Rss:                   0 kB
        Anonymous:             0 kB
        55d000004000-55d000005000 r--s 00004000 fe:00 1234                       /usr/bin/shared
        Rss:                   4 kB
        Anonymous:             0 kB
        55d000005000-55d000006000 r--p 00000000 00:00 0
        Rss:                   4 kB
        Anonymous:             0 kB
        55d000006000-55d000007000 r-xp 00000000 00:00 0                          [vdso]
        Rss:                   4 kB
        Anonymous:             0 kB
        55d000007000-55d000009000 r--p 00000000 fe:00 99                         /usr/lib/constants.so
        Rss:                   8 kB
        Anonymous:             0 kB
        """;

    [Fact]
    public void Only_pages_of_files_that_were_never_written_to_may_go() => Assert.Equal<ProgramMapping>(
        [
            new ProgramMapping(0x55d000000000, 0x2000, "/usr/bin/some program", 4096),
            new ProgramMapping(0x55d000007000, 0x2000, "/usr/lib/constants.so", 8192),
        ],
        ProgramMapping.Parse(Table.Split('\n')));

    [Fact]
    public void What_a_program_does_not_use_leaves_its_memory_and_it_goes_on()
    {
        ulong before = Resident();
        ResidentMemory.GiveBack();
        ulong after = Resident();
        Assert.True(after < before, $"{after} of {before} bytes are left");
    }

    private static ulong Resident() => ProgramMapping.Read().Aggregate(0UL, (sum, mapping) => sum + mapping.Resident);
}
