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
        using RootView? view = HasNames(User) ? RootView.Open(rootfs[0]) : null;
        try
        {
            return RuntimeSpecBuilder.Build(name, id, Options(view?.Path)).ToJson();
        }
        catch (FormatException refused)
        {
            throw new CliFailure(request.Image, refused.Message, exitCode: ExitCodes.NoProcess);
        }
    }

    /// <summary>The request in the builder's terms.</summary>
    /// <param name="rootDirectory">The image's files; null if no name has to be looked up.</param>
    internal RuntimeSpecOptions Options(string? rootDirectory) => new()
    {
        Image = Entrypoint(),
        Args = request.Command,
        Env = request.Environment,
        Cwd = request.WorkingDirectory,
        User = User,
        RootFsDirectory = rootDirectory,
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

    // A number has groups in the files of the image too, but is worth no mount.
    private static bool HasNames(string user) => user.Split(':').Any(part => part.Length > 0 && !part.All(char.IsAsciiDigit));

    // The image's arguments belong to the image's entry point: with another one they mean nothing.
    private ContainerConfig Entrypoint() => request.Entrypoint switch
    {
        null => image,
        "" => image with { Entrypoint = [], Cmd = [] },
        string command => image with { Entrypoint = [command], Cmd = [] },
    };
}
