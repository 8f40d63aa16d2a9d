// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Sandboxes;

namespace Containerd.Actors.Core.Filters;

/// <summary>The fields by which objects can be filtered.</summary>
public static class Adaptors
{
    /// <summary><c>id</c>, <c>runtime.name</c>, <c>image</c>, <c>labels.K</c>.</summary>
    public static FieldAdaptor Of(ContainerRecord container) => (IReadOnlyList<string> path, out string value) => path switch
    {
        ["id"] => Found(container.Id, out value),
        ["runtime", "name", ..] => Found(container.RuntimeName, out value),
        ["image"] => Found(container.Image, out value),
        ["labels", ..] => Map(container.Labels, path, out value),
        _ => Absent(out value),
    };

    /// <summary><c>name</c>, <c>target.digest</c>, <c>target.mediatype</c>, <c>labels.K</c>, <c>annotations.K</c>.</summary>
    public static FieldAdaptor Of(ImageRecord image) => (IReadOnlyList<string> path, out string value) => path switch
    {
        ["name"] => Found(image.Name, out value),
        ["target", "digest"] => Found(image.Target.Digest.ToString(), out value),
        ["target", "mediatype"] => Found(image.Target.MediaType, out value),
        ["labels", ..] => Map(image.Labels, path, out value),
        ["annotations", ..] => Map(image.Target.Annotations, path, out value),
        _ => Absent(out value),
    };

    /// <summary><c>digest</c>, <c>labels.K</c>.</summary>
    public static FieldAdaptor Of(ContentRecord content) => (IReadOnlyList<string> path, out string value) => path switch
    {
        ["digest"] => Found(content.Digest.ToString(), out value),
        ["labels", ..] => Map(content.Labels, path, out value),
        _ => Absent(out value),
    };

    /// <summary><c>kind</c>, <c>name</c>, <c>parent</c>, <c>labels.K</c>.</summary>
    public static FieldAdaptor Of(SnapshotRecord snapshot) => (IReadOnlyList<string> path, out string value) => path switch
    {
        ["kind"] => Word(snapshot.Kind, out value),
        ["name"] => Found(snapshot.Key, out value),
        ["parent"] => Always(snapshot.Parent, out value),
        ["labels", ..] => Map(snapshot.Labels, path, out value),
        _ => Absent(out value),
    };

    /// <summary><c>id</c>, <c>labels.K</c>.</summary>
    public static FieldAdaptor Of(LeaseRecord lease) => (IReadOnlyList<string> path, out string value) => path switch
    {
        ["id"] => Found(lease.Id, out value),
        ["labels", ..] => Map(lease.Labels, path, out value),
        _ => Absent(out value),
    };

    /// <summary><c>id</c>, <c>labels.K</c>.</summary>
    public static FieldAdaptor Of(SandboxRecord sandbox) => (IReadOnlyList<string> path, out string value) => path switch
    {
        ["id"] => Found(sandbox.Id, out value),
        ["labels", ..] => Map(sandbox.Labels, path, out value),
        _ => Absent(out value),
    };

    /// <summary>A field of a map: what is behind the first part, joined by dots, is the key.</summary>
    public static bool Map(ImmutableSortedDictionary<string, string>? map, IReadOnlyList<string> path, out string value)
    {
        if (map is not null && map.TryGetValue(string.Join('.', path.Skip(1)), out string? found))
        {
            value = found;
            return true;
        }

        return Absent(out value);
    }

    // A field that every object of the kind has is absent when it is empty.
    private static bool Found(string field, out string value)
    {
        value = field;
        return field.Length > 0;
    }

    // The parent of a snapshot without one is there and empty, so that parent=="" finds the lowest layers.
    private static bool Always(string field, out string value)
    {
        value = field;
        return true;
    }

    private static bool Word(SnapshotKind kind, out string value)
    {
        value = kind switch
        {
            SnapshotKind.View => "view",
            SnapshotKind.Active => "active",
            SnapshotKind.Committed => "committed",
            _ => "",
        };
        return value.Length > 0;
    }

    private static bool Absent(out string value)
    {
        value = "";
        return false;
    }
}
