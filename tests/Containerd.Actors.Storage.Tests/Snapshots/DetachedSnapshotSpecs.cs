// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;
using Containerd.Actors.Storage.Snapshots;
using Containerd.Actors.Storage.Tests.Diff;

namespace Containerd.Actors.Storage.Tests.Snapshots;

/// <summary>A layer that is extracted before its parent is there becomes what it would have become on it.</summary>
public sealed class DetachedSnapshotSpecs : IDisposable
{
    private const string Plain = "application/vnd.oci.image.layer.v1.tar";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [SkippableFact]
    public void What_a_layer_does_not_say_of_directories_comes_from_its_parents()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        OverlayBackend backend = Open();
        MakeParents(backend);
        byte[] layer = new TarBytes()
            .File("tmp/file", "temporary")
            .File("etc/deep/file", "deep")
            .File("etc/.wh.old", "")
            .File("var/lib/.wh..wh..opq", "")
            .Directory("said/")
            .File("said/file", "said")
            .Finish();

        backend.Create(3, SnapshotKind.Active, [2, 1], Labels.None);
        Assert.Empty(Apply(layer, backend.Mounts(3, SnapshotKind.Active, [2, 1], Labels.None)).Inherited);
        backend.Create(4, SnapshotKind.Active, [], Labels.None);
        AppliedLayer detached = Apply(layer, backend.DetachedMounts(4));
        Assert.Equal(["", "tmp", "etc", "etc/deep", "var", "var/lib"], detached.Inherited.ToArray());
        backend.Attach(4, [2, 1], detached.Inherited);

        Assert.Equal(Facts(backend.UpperDirectory(3)), Facts(backend.UpperDirectory(4)));
        using DirectoryHandle upper = DirectoryHandle.Open(backend.UpperDirectory(4));
        Assert.Equal((7u, 8u), (upper.Status().UserId, upper.Status().GroupId));
        Assert.Equal(0x3FFu, upper.Status("tmp").Mode);
        using DirectoryHandle etc = upper.OpenChild("etc");
        Assert.True(etc.Status("old").IsWhiteout);
    }

    [SkippableFact]
    public void A_layer_that_replaces_a_directory_it_lacked_by_a_link_changes_nothing_behind_the_link()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        OverlayBackend backend = Open();
        MakeParents(backend);
        string outside = _directory.Make("outside");
        byte[] layer = new TarBytes().File("tmp/file", "x").Link("tmp", '2', outside).Finish();
        backend.Create(4, SnapshotKind.Active, [], Labels.None);
        AppliedLayer detached = Apply(layer, backend.DetachedMounts(4));
        backend.Attach(4, [2, 1], detached.Inherited);
        using DirectoryHandle directory = DirectoryHandle.Open(outside);
        Assert.NotEqual(0x3FFu, directory.Status().Mode);
        using DirectoryHandle upper = DirectoryHandle.Open(backend.UpperDirectory(4));
        Assert.Equal(FileKind.SymbolicLink, upper.Status("tmp").Kind);
    }

    [SkippableFact]
    public void A_hard_link_to_a_file_of_a_lower_layer_is_refused_with_and_without_the_parent()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        OverlayBackend backend = Open();
        MakeParents(backend);
        byte[] layer = new TarBytes().Directory("etc/").Link("etc/link", '1', "etc/old").Finish();
        backend.Create(3, SnapshotKind.Active, [2, 1], Labels.None);
        Assert.ThrowsAny<Protocol.Errors.RefusedException>(() => Apply(layer, backend.Mounts(3, SnapshotKind.Active, [2, 1], Labels.None)));
        backend.Create(4, SnapshotKind.Active, [], Labels.None);
        Assert.ThrowsAny<Protocol.Errors.RefusedException>(() => Apply(layer, backend.DetachedMounts(4)));
    }

    [Fact]
    public void Copies_of_trees_need_their_parents_from_the_start()
    {
        ISnapshotBackend native = NativeBackend.Open(_directory["native"]);
        Assert.Empty(native.DetachedMounts(1));
    }

    private OverlayBackend Open() => OverlayBackend.Open(_directory["overlayfs"], new OverlaySettings { IndexOff = true, UserAttributes = false });

    private static AppliedLayer Apply(byte[] layer, IReadOnlyList<Mount> mounts) =>
        LayerApplier.Apply(new MemoryStream(layer), Plain, ApplyTarget.TryFrom(mounts)!, LayerLimits.Default);

    // The nearest layer says nothing of tmp and of var/lib.
    private static void MakeParents(OverlayBackend backend)
    {
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        backend.Create(2, SnapshotKind.Active, [1], Labels.None);
        TreeListing.Shell($"""
            cd {backend.UpperDirectory(1)}
            mkdir -p tmp etc var/lib; chmod 1777 tmp; chmod 0700 etc; echo old > etc/old; chown 3:4 var/lib; chmod 2750 var/lib; touch -d 2001-01-01 tmp
            cd {backend.UpperDirectory(2)}
            mkdir etc; chmod 0711 etc; chown 5:6 etc; chown 7:8 .
            """);
    }

    // Mode, owner and kind of all names.
    private static string Facts(string path)
    {
        List<string> facts = [];
        using DirectoryHandle root = DirectoryHandle.Open(path);
        Walk(root, "");
        return string.Join('\n', facts);

        void Walk(DirectoryHandle directory, string prefix)
        {
            foreach (string name in directory.List().Prepend("."))
            {
                FileStatus status = directory.Status(name);
                string attributes = string.Join(',', directory.ListAttributes(name));
                facts.Add($"{prefix}/{name} {status.Kind} {Convert.ToString(status.Mode, 8)} {status.UserId}:{status.GroupId} {attributes}");
                if (status.Kind == FileKind.Directory && name != ".")
                {
                    using DirectoryHandle inner = directory.OpenChild(name);
                    Walk(inner, $"{prefix}/{name}");
                }
            }
        }
    }
}
