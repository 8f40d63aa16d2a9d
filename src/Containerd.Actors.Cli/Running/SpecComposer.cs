// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Options;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.Runtime;
using Containerd.Types;

namespace Containerd.Actors.Cli.Running;

/// <summary>Makes the runtime spec of a container from its image's configuration and what was asked for.</summary>
internal sealed class SpecComposer(string name, string id, RunRequest request, ContainerConfig image)
{
    private const int HostnameMax = 63;

    // Root is 0 in every image: no need to look at its files.
    private string User => (request.User ?? image.User) is { Length: > 0 } user && user != "root" ? user : "0";

    /// <summary>The spec as JSON in UTF-8.</summary>
    /// <param name="rootfs">Mounts of the root, looked into only where a user is given by name.</param>
    /// <exception cref="CliFailure">There is no command, or the image does not know the user.</exception>
    public byte[] Compose(IReadOnlyList<Mount> rootfs)
    {
        using RootView? view = UserResolver.HasNames(User) ? RootView.Open(rootfs[0]) : null;
        try
        {
            RuntimeSpecOptions options = Options(id, request) with { Image = image, User = User, RootFsDirectory = view?.Path };
            return RuntimeSpecBuilder.Build(name, id, options).ToJson();
        }
        catch (FormatException refused)
        {
            throw new CliFailure(request.Image, refused.Message, exitCode: ExitCodes.NoProcess);
        }
    }

    /// <summary>The request in the builder's terms, without the image.</summary>
    internal static RuntimeSpecOptions Options(string id, RunRequest request) => new()
    {
        Entrypoint = request.Entrypoint,
        Args = request.Command,
        Env = request.Environment,
        Cwd = request.WorkingDirectory,
        User = request.User,
        Terminal = request.Terminal,
        IsRootReadonly = request.ReadOnly,
        IsPrivileged = request.Privileged,
        IsHostNetwork = request.HostNetwork,
        Hostname = id.Length <= HostnameMax ? id : id[..HostnameMax],
        Mounts = [.. request.Mounts.Select(mount => new MountSpec(mount.Destination, mount.Type, mount.Source, mount.Options))],
        MemoryLimit = request.MemoryBytes,
        CpuQuota = request.CpuQuota,
        CpuPeriod = request.CpuQuota is null ? null : Quantities.CpuPeriod,
    };
}
