// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;
using CsCheck;

namespace Containerd.Actors.Storage.Tests.Diff;

public sealed class LayerWriterSpecs
{
    private static readonly Gen<string> Step = Gen.Select(Gen.Int[0, 6], Gen.Int[0, 4], Gen.Int[0, 4], Gen.Int[1, 9999]).Select((what, a, b, n) => what switch
    {
        0 => $"rm -rf p{a}; mkdir p{a}; chmod {500 + (n % 8)} p{a}",
        1 => $"mkdir -p q{a}/r{b}; echo {n} > q{a}/r{b}/f{n % 5}",
        2 => $"rm -rf q{a}/r{b}",
        3 => $"rm -rf p{a}; ln -s q{b} p{a}",
        4 => $"mkdir -p q{a}; echo {n} > q{a}/x; rm -rf p{b}; ln q{a}/x p{b}",
        5 => $"rm -rf p{a}; mkfifo p{a}; chown {n}:{b} p{a}",
        _ => $"rm -rf p{a}; head -c {n} /dev/zero > p{a}; touch -d @{n} p{a}",
    });

    [SkippableFact]
    public void A_tree_changed_at_random_comes_back_from_its_layers()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        Gen.Select(Step.Array[1, 8], Step.Array[1, 8]).Sample(
            (first, second) =>
            {
                using TemporaryDirectory directory = new();
                string lower = directory.Make("lower");
                string upper = directory.Make("upper");
                string target = directory.Make("target");
                TreeListing.Shell($"cd {lower}; {string.Join("; ", first)}");
                TreeListing.Shell($"cp -a {lower}/. {upper}/; cd {upper}; {string.Join("; ", second)}");
                Roundtrip(directory, new DiffSource(null, lower), target, "application/vnd.oci.image.layer.v1.tar");
                Assert.Equal(TreeListing.Of(lower, nanoseconds: false), TreeListing.Of(target, nanoseconds: false));
                Roundtrip(directory, new DiffSource(lower, upper), target, "application/vnd.oci.image.layer.v1.tar+zstd");
                return SameButForDirectoryTimes(upper, target);
            },
            iter: 25,
            threads: 1);
    }

    [SkippableFact]
    public void An_overlays_upper_directory_survives_the_round_trip()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        using TemporaryDirectory directory = new();
        string upper = directory.Make("upper");
        string target = directory.Make("target");
        TreeListing.Shell($"cd {upper}; mkdir -p a/b; echo x > a/b/c; mknod gone c 0 0; touch -d @1000 a/b/c a/b a");
        Linux.Files.DirectoryHandle handle = Linux.Files.DirectoryHandle.Open($"{upper}/a");
        using (handle)
        {
            handle.SetAttribute("b", "trusted.overlay.opaque", "y"u8);
        }

        using ContentStoreScope scope = new(directory["content"]);
        WrittenLayer layer = LayerWriter.Write(new DiffSource(null, upper, IsOverlayUpper: true), "", scope.Ingest);
        Assert.Equal(layer.Descriptor.Digest, scope.Ingest.Commit().Digest);
        Assert.Equal("application/vnd.oci.image.layer.v1.tar+gzip", layer.Descriptor.MediaType);
        using Stream blob = scope.Store.OpenRead(layer.Descriptor.Digest);
        AppliedLayer applied = LayerApplier.Apply(blob, layer.Descriptor.MediaType, new ApplyTarget(target, [], "trusted."), LayerLimits.Default);

        Assert.Equal(layer.DiffId, applied.DiffId);
        Assert.Equal(
            TreeListing.Of(upper).Split('\n').Where(static line => !line.StartsWith("/gone", StringComparison.Ordinal)),
            TreeListing.Of(target).Split('\n').Where(static line => !line.StartsWith("/gone", StringComparison.Ordinal)));
        Assert.Contains("/gone CharacterDevice", TreeListing.Of(target), StringComparison.Ordinal);
    }

    private static void Roundtrip(TemporaryDirectory directory, DiffSource source, string target, string mediaType)
    {
        using ContentStoreScope scope = new(directory["content"]);
        WrittenLayer layer = LayerWriter.Write(source, mediaType, scope.Ingest);
        scope.Ingest.Commit();
        using Stream blob = scope.Store.OpenRead(layer.Descriptor.Digest);
        AppliedLayer applied = LayerApplier.Apply(blob, mediaType, ApplyTarget.Plain(target), LayerLimits.Default);
        Assert.Equal(layer.DiffId, applied.DiffId);
    }

    // The times of a directory that lost or gained a name are no change by themselves, as with containerd.
    private static bool SameButForDirectoryTimes(string expected, string actual)
    {
        static IEnumerable<string> Lines(string path) => TreeListing.Of(path, nanoseconds: false).Split('\n')
            .Select(static line => line.Split(' '))
            .Select(static fields => fields.Length > 4 && fields[1] == "Directory" ? string.Join(' ', fields[..4]) : string.Join(' ', fields));
        Assert.Equal(Lines(expected), Lines(actual));
        return true;
    }

    private sealed class ContentStoreScope : IDisposable
    {
        public ContentStoreScope(string root)
        {
            Store = ContentStore.Open(root);
            Ingest = Store.OpenIngest("default", "layer");
        }

        public ContentStore Store { get; }

        public Ingest Ingest { get; }

        public void Dispose() => Ingest.Dispose();
    }
}
