// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Shim.Containers;
using Containerd.Runc.V1;

namespace Containerd.Actors.Shim.Sandboxes;

/// <summary>The record, in the bundle of a sandbox, of the containers that its shim holds.</summary>
/// <remarks>
/// A daemon runs no <c>delete</c> for a task that joined a sandbox, as the shim is not the task's. That of the sandbox finds by this
/// record what the shim left when it was killed. One directory per container: its options, and <c>bundle</c>, a link.
/// </remarks>
/// <param name="sandboxBundle">The bundle of the sandbox.</param>
internal sealed class SandboxMembers(string sandboxBundle)
{
    private const string BundleLink = "bundle";
    private readonly string _directory = Path.Combine(sandboxBundle, "containers");

    /// <summary>Notes a container, before anything is made for it.</summary>
    public void Add(string id, string bundle, Options options)
    {
        string record = PathOf(id);
        Remove(id);
        Directory.CreateDirectory(record);
        File.CreateSymbolicLink(Path.Combine(record, BundleLink), bundle);
        BundleFiles.WriteOptions(record, options);
    }

    /// <summary>Strikes a container out; one that was not noted is none.</summary>
    public void Remove(string id)
    {
        if (Directory.Exists(PathOf(id)))
        {
            Directory.Delete(PathOf(id), recursive: true);
        }
    }

    /// <summary>What is noted: ids, directories of the records, and bundles. A record that was not finished has no container yet.</summary>
    public IReadOnlyList<(string Id, string Record, string Bundle)> All() => Directory.Exists(_directory)
        ? [.. from record in Directory.EnumerateDirectories(_directory)
              where BundleFiles.HasOptions(record)
              let bundle = new FileInfo(Path.Combine(record, BundleLink)).LinkTarget
              where bundle is not null
              select (Path.GetFileName(record), record, bundle)]
        : [];

    private string PathOf(string id) => Path.Combine(_directory, id);
}
