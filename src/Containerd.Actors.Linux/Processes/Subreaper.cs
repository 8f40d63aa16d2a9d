// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Interop;

namespace Containerd.Actors.Linux.Processes;

/// <summary>This process as the parent of its descendants' orphans.</summary>
public static unsafe partial class Subreaper
{
    private const int SetChildSubreaper = 36;
    private const int All = 0;
    private const int ByPid = 1;
    private const int NoHang = 1;
    private const int Exited = 4;
    private const int NoWait = 0x01000000;

    // siginfo_t: si_pid at 12 on 64-bit systems (waitid(2)).
    private const int PidIndex = 3;

    /// <summary>Makes orphans below this process its children; prctl(2), PR_SET_CHILD_SUBREAPER.</summary>
    /// <exception cref="Core.Linux.LinuxException">The kernel refused.</exception>
    public static void Become()
    {
        if (prctl(SetChildSubreaper, 1, 0, 0, 0) != 0)
        {
            throw LinuxErrors.Last("prctl", "PR_SET_CHILD_SUBREAPER");
        }
    }

    /// <summary>Reaps zombies that nobody holds. False when one that is held stood before others: ask again a little later.</summary>
    /// <param name="isHeld">Whether somebody else reaps the process of this number.</param>
    public static bool ReapOrphans(Func<int, bool> isHeld)
    {
        ArgumentNullException.ThrowIfNull(isHeld);
        int* information = stackalloc int[32];
        while (true)
        {
            information[PidIndex] = 0;
            if (waitid(All, 0, information, Exited | NoHang | NoWait) != 0 || information[PidIndex] == 0)
            {
                return true;
            }

            int pid = information[PidIndex];
            if (isHeld(pid))
            {
                return false;
            }

            _ = waitid(ByPid, pid, information, Exited | NoHang);
        }
    }

    [LibraryImport("libc.so.6", SetLastError = true)]
    private static partial int prctl(int option, nint second, nint third, nint fourth, nint fifth);

    [LibraryImport("libc.so.6", SetLastError = true)]
    private static partial int waitid(int kind, int id, void* information, int options);
}
