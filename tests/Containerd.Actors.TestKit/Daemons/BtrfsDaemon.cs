// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.TestKit.Programs;

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>This product's daemon with its root on a btrfs of its own, which lies in a file and has quotas enabled.</summary>
public sealed class BtrfsDaemon : ActorsDaemon
{
    private const string Maker = "/usr/sbin/mkfs.btrfs";

    /// <inheritdoc />
    public override string Missing =>
        base.Missing.Length > 0 ? base.Missing
        : !File.Exists(Maker) ? $"needs {Maker}: run scripts/setup"
        : !File.ReadAllText("/proc/filesystems").Contains("\tbtrfs\n", StringComparison.Ordinal) ? "the kernel has no btrfs"
        : "";

    /// <inheritdoc />
    public override async Task InitializeAsync()
    {
        if (Missing.Length == 0)
        {
            string image = Path.Combine(Work, "btrfs");
            Directory.CreateDirectory(Root);
            using (FileStream file = File.Create(image))
            {
                file.SetLength(1L << 30);
            }

            await DoAsync(Maker, "-q", image);
            await DoAsync("mount", "-o", "loop", image, Root);
            await DoAsync("btrfs", "quota", "enable", Root);
        }

        await base.InitializeAsync();
    }

    private static async Task DoAsync(string program, params string[] arguments)
    {
        Ran ran = await Programs.Command.RunAsync(program, arguments);
        Assert.True(ran.Status == 0, $"{program} {string.Join(' ', arguments)}: {ran.Status} {ran.All}");
    }
}
