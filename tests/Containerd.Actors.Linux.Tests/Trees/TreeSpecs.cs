// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Trees;

namespace Containerd.Actors.Linux.Tests.Trees;

public sealed class TreeSpecs : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_tree_goes_with_its_links_and_what_they_point_at_stays()
    {
        string outside = Scratch.FileIn(_scratch.Directory("outside"), "file");
        string tree = _scratch.Directory("tree");
        for (int i = 0; i < 600; i++)
        {
            Scratch.FileIn(tree, $"a file with a long name to need several buffers {i}");
        }

        Scratch.FileIn(_scratch.Directory("tree/a/b/c"), "deep");
        Directory.CreateSymbolicLink(Path.Combine(tree, "link"), Path.GetDirectoryName(outside)!);

        Tree.Remove(tree + "/");

        Assert.False(Directory.Exists(tree));
        Assert.True(File.Exists(outside));
    }

    [Fact]
    public void A_link_itself_and_a_missing_path_are_removed_without_following()
    {
        string outside = Scratch.FileIn(_scratch.Directory("outside"), "file");
        string link = Path.Combine(_scratch.Root, "link");
        Directory.CreateSymbolicLink(link, Path.GetDirectoryName(outside)!);

        Tree.Remove(link);
        Tree.Remove(link);

        Assert.True(File.Exists(outside));
    }

    [Fact]
    public void A_removal_that_was_given_up_stops()
    {
        string tree = _scratch.Directory("tree");

        Assert.Throws<OperationCanceledException>(() => Tree.Remove(tree, new CancellationToken(canceled: true)));
        Assert.True(Directory.Exists(tree));
    }
}
