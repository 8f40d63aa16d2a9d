// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;

namespace Containerd.Actors.Linux.Memory;

/// <summary>Pages of a file that this process has mapped and never written to: code and constants; proc_pid_smaps(5).</summary>
/// <param name="Start">Address of the first byte.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Path">The file.</param>
/// <param name="Resident">How many bytes of it this process holds in memory.</param>
public sealed record ProgramMapping(ulong Start, ulong Length, string Path, ulong Resident)
{
    private const string ResidentField = "Rss:";
    private const string WrittenField = "Anonymous:";

    /// <summary>The mappings of this process now.</summary>
    public static ImmutableArray<ProgramMapping> Read() => Parse(File.ReadLines("/proc/self/smaps"));

    /// <summary>
    /// The mappings of a table that are private, of a file and not writable, and of which no page was ever written: what the loader
    /// relocated lies in mappings that have such pages, and would be lost.
    /// </summary>
    public static ImmutableArray<ProgramMapping> Parse(IEnumerable<string> smaps)
    {
        ArgumentNullException.ThrowIfNull(smaps);
        ImmutableArray<ProgramMapping>.Builder mappings = ImmutableArray.CreateBuilder<ProgramMapping>();
        ProgramMapping? mapping = null;
        foreach (string line in smaps)
        {
            if (line.StartsWith(ResidentField, StringComparison.Ordinal))
            {
                mapping = mapping is null ? null : mapping with { Resident = Bytes(line) };
            }
            else if (line.StartsWith(WrittenField, StringComparison.Ordinal))
            {
                if (mapping is not null && Bytes(line) == 0)
                {
                    mappings.Add(mapping);
                }
            }
            else if (IsHeader(line, out ProgramMapping? program))
            {
                mapping = program;
            }
        }

        return mappings.ToImmutable();
    }

    // Such as "55d0-55d9 r-xp 00000000 fe:00 1234   /usr/bin/x"; all other lines begin with the name of a field and a colon.
    private static bool IsHeader(string line, out ProgramMapping? program)
    {
        string[] fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        program = null;
        if (fields.Length < 5 || fields[0].EndsWith(':') || fields[0].Split('-') is not [{ } start, { } end])
        {
            return false;
        }

        if (fields[1] is "r-xp" or "r--p" && fields.Length == 6 && fields[5].StartsWith('/'))
        {
            program = new ProgramMapping(Address(start), Address(end) - Address(start), fields[5], 0);
        }

        return true;
    }

    private static ulong Address(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static ulong Bytes(string line) =>
        ulong.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
}
