// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Output;

namespace Containerd.Actors.Cli.Tests.Output;

public sealed class OutputSpecs
{
    [Fact]
    public void A_table_is_as_wide_as_its_cells()
    {
        var table = new Table("ID", "STATUS");
        table.Add("redis", "RUNNING");
        table.Add("a", "NO TASK");

        Assert.Equal(["ID     STATUS", "redis  RUNNING", "a      NO TASK"], table.Lines(80));
    }

    [Fact]
    public void The_widest_column_gives_way_to_the_terminal()
    {
        var table = new Table("ID", "IMAGE", "STATUS");
        table.Add("redis", "registry.example.org/library/redis:7", "RUNNING");

        string[] lines = [.. table.Lines(30)];

        Assert.All(lines, line => Assert.True(line.Length <= 30));
        Assert.Equal("redis  registry.exam…  RUNNING", lines[1]);
    }

    [Fact]
    public void Without_a_terminal_nothing_is_cut()
    {
        var table = new Table("NAME");
        table.Add(new string('x', 500));

        Assert.Equal(500, table.Lines(0).Last().Length);
    }

    [Fact]
    public void Control_characters_do_not_reach_the_terminal()
    {
        var table = new Table("NAME");
        table.Add("a\u001b[2Jb\n");

        Assert.Equal("a?[2Jb?", table.Lines(80).Last());
    }

    [Fact]
    public void A_row_must_have_a_cell_for_each_heading() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Table("A", "B").Add("1"));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.0 KiB")]
    [InlineData(4_613_734, "4.4 MiB")]
    [InlineData(125_829_120, "120 MiB")]
    [InlineData(long.MaxValue, "8192 PiB")]
    [InlineData(-5, "0 B")]
    public void Sizes_have_few_digits(long bytes, string text) => Assert.Equal(text, Sizes.Format(bytes));

    [Theory]
    [InlineData(-3, "0 s")]
    [InlineData(59, "59 s")]
    [InlineData(60, "1 min")]
    [InlineData(7200, "2 h")]
    [InlineData(86_400 * 12, "12 d")]
    [InlineData(86_400 * 800, "2 y")]
    public void Ages_have_one_unit(int seconds, string text) => Assert.Equal(text, Ages.Format(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Times_are_rfc_3339_in_utc() => Assert.Equal(
        "2026-01-31T11:00:00.250Z", Ages.Rfc3339(new DateTimeOffset(2026, 1, 31, 12, 0, 0, 250, TimeSpan.FromHours(1))));

    [Fact]
    public void A_tree_is_drawn_with_branches()
    {
        Branch[] branches =
        [
            new("/user/containerd", "(Root)"), new("/user/containerd/events", ""), new("/user/containerd/namespaces", ""),
            new("/user/containerd/namespaces/default", ""), new("/user/containerd/executor", ""), new("/user/other", ""),
        ];

        Assert.Equal(
            [
                "/user/containerd  (Root)",
                "├─ events",
                "├─ namespaces",
                "│  └─ default",
                "└─ executor",
                "/user/other",
            ],
            Indentation.Lines(branches));
    }

    [Fact]
    public void A_node_whose_parent_is_missing_hangs_on_the_next_one_above()
    {
        Assert.Equal(["/a", "└─ b/c"], Indentation.Lines([new("/a", ""), new("/a/b/c", "")]));
    }
}
