// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Shims.Bundles;

namespace Containerd.Actors.Shims.Tests;

/// <summary>What a daemon that was killed in the middle of deletions leaves, removed by the next one.</summary>
public sealed class BundleRemainsSpecs : IDisposable
{
    private readonly string _place = Directory.CreateTempSubdirectory("containerd-actors-bundles-").FullName;
    private readonly BundleRoots _roots;

    public BundleRemainsSpecs() => _roots = new BundleRoots(Path.Combine(_place, "state"), Path.Combine(_place, "root"));

    public void Dispose() => Directory.Delete(_place, recursive: true);

    [Fact]
    public void A_deletion_that_was_cut_off_leaves_nothing_for_good()
    {
        Bundle cut = Bundle.Create(_roots, "ns", "cut", "{}"u8);
        Bundle late = Bundle.Create(_roots, "ns", "late", "{}"u8);
        Hide(cut.Path);
        Hide(cut.WorkPath);
        Directory.Delete(late.Path, recursive: true);
        Assert.Equal(["cut", "late"], Bundle.Remains(_roots, "ns").Order(StringComparer.Ordinal));
        Bundle.RemoveRemains(_roots, "ns", "cut");
        Bundle.RemoveRemains(_roots, "ns", "late");
        Assert.Empty(Everything("ns"));
        Assert.Empty(Bundle.Remains(_roots, "ns"));
    }

    [Fact]
    public void Whole_bundles_and_those_of_others_stay()
    {
        Bundle whole = Bundle.Create(_roots, "ns", "whole", "{}"u8);
        Bundle again = Bundle.Create(_roots, "ns", "again", "{}"u8);
        Bundle other = Bundle.Create(_roots, "other", "again", "{}"u8);
        Hide(again.Path);
        Hide(other.Path);
        Directory.CreateDirectory(again.Path);
        Assert.Equal(["again"], Bundle.Remains(_roots, "ns"));
        Bundle.RemoveRemains(_roots, "ns", "again");
        Bundle.RemoveRemains(_roots, "ns", "whole");
        Assert.Equal(["again", "again", "whole", "whole"], Everything("ns"));
        Assert.Equal([".again", "again"], Everything("other"));
        Assert.True(File.Exists(Path.Combine(whole.Path, "config.json")));
    }

    [Fact]
    public void A_namespace_without_bundles_has_no_remains() => Assert.Empty(Bundle.Remains(_roots, "none"));

    private static void Hide(string path) => Directory.Move(path, Path.Combine(Path.GetDirectoryName(path)!, "." + Path.GetFileName(path)));

    private string[] Everything(string ns) =>
        [.. new[] { _roots.State, _roots.Root }
            .SelectMany(root => Directory.GetDirectories(Path.Combine(root, BundleRoots.Plugin, ns)))
            .Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal)];
}
