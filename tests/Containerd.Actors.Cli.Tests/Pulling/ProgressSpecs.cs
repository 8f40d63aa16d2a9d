// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Pulling;
using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Tests.Pulling;

public sealed class ProgressSpecs
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void A_layer_has_a_bar_as_long_as_its_share()
    {
        PullProgress progress = Fetching(offset: 50 * 1024, total: 100 * 1024);

        IReadOnlyList<string> lines = ProgressLines.Draw(progress, 80);

        Assert.Equal("localhost/a: fetching", lines[0]);
        Assert.Equal("0123456789ab  fetching   [==============>              ] 50.0 KiB / 100 KiB", lines[1]);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(40)]
    [InlineData(60)]
    [InlineData(200)]
    public void No_line_is_wider_than_the_terminal(int width)
    {
        PullProgress progress = Fetching(offset: 999 * 1024, total: 1000L * 1024 * 1024);

        Assert.All(ProgressLines.Draw(progress, width), line => Assert.True(line.Length <= width));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(200, 100)]
    [InlineData(-1, 100)]
    public void Numbers_that_make_no_sense_still_give_a_line(long offset, long total) =>
        Assert.Equal(2, ProgressLines.Draw(Fetching(offset, total), 80).Count);

    [Fact]
    public void A_stored_layer_is_full()
    {
        PullProgress progress = Fetching(offset: 0, total: 2048);
        progress.Layers[0].Stage = "done";

        Assert.Contains("============] 2.0 KiB", ProgressLines.Draw(progress, 80)[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_says_only_what_changed()
    {
        PullProgress before = Fetching(offset: 0, total: 2048);
        PullProgress moved = Fetching(offset: 1024, total: 2048);
        PullProgress done = Fetching(offset: 2048, total: 2048);
        done.Layers[0].Stage = "done";

        Assert.Equal(["localhost/a: fetching", "0123456789ab: fetching 2.0 KiB"], ProgressLines.Changes(null, before));
        Assert.Empty(ProgressLines.Changes(before, moved));
        Assert.Equal(["0123456789ab: done 2.0 KiB"], ProgressLines.Changes(moved, done));
    }

    [Fact]
    public void The_end_says_what_came_out()
    {
        Assert.Equal(
            ["a: completed 0123456789ab"],
            ProgressLines.Changes(null, new PullProgress { Reference = "a", Stage = "completed", Digest = Digest }));
        Assert.Equal(
            ["a: failed: no such host"],
            ProgressLines.Changes(null, new PullProgress { Reference = "a", Stage = "failed", Error = "no such host" }));
    }

    [Fact]
    public void A_terminal_is_redrawn_in_place()
    {
        using var output = new StringWriter();
        var display = new ProgressDisplay(output, isTerminal: true, () => (80, 24));

        display.Show(Fetching(0, 2048));
        display.Show(Fetching(1024, 2048));

        Assert.Contains("\u001b[2A\r\u001b[0J", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pull_with_more_layers_than_the_screen_has_lines_stays_on_the_screen()
    {
        using var output = new StringWriter();
        PullProgress progress = Fetching(0, 1);
        progress.Layers.AddRange(Enumerable.Range(0, 50).Select(_ => progress.Layers[0].Clone()));

        new ProgressDisplay(output, isTerminal: true, () => (80, 10)).Show(progress);

        Assert.Equal(9, output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    private static PullProgress Fetching(long offset, long total) => new()
    {
        Reference = "localhost/a",
        Stage = "fetching",
        Layers = { new LayerProgress { Digest = Digest, Stage = "fetching", Offset = offset, Total = total } },
    };
}
