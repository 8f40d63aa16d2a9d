// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Starting;
using Containerd.Runc.V1;
using Google.Protobuf;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>Whether a task joins the shim of its container's sandbox, and where that is.</summary>
internal static class SandboxAddresses
{
    private const int VersionMin = 3;

    /// <summary>The address; null for a shim of its own.</summary>
    /// <remarks>
    /// The request says where, else the options for runc, else what the sandbox's shim answered when it was started. A sandbox whose
    /// task API is older than 3 is joined through the shim's executable, which finds the group by the spec's annotations.
    /// </remarks>
    /// <exception cref="RefusedException">The address is none.</exception>
    internal static ShimAddress? Of(BundleRoots roots, string ns, TaskCreation creation)
    {
        if (creation.SandboxId.Length == 0)
        {
            return null;
        }

        ShimAddress? address = (creation.Command.TaskApiAddress, creation.Command.TaskApiVersion) switch
        {
            ({ Length: > 0 } given, var version) => ShimAddress.FromEndPoint(given, (int)version),
            _ => OfOptions(creation.Options) ?? OfBundle(roots.OfSandboxes, ns, creation.SandboxId),
        };
        return address?.Version >= VersionMin ? address : null;
    }

    private static ShimAddress? OfOptions(AnyValue? options)
    {
        if (options?.TypeUrl[(options.TypeUrl.LastIndexOf('/') + 1)..] != "containerd.runc.v1.Options")
        {
            return null;
        }

        try
        {
            Options runc = Options.Parser.ParseFrom(options.Value.Span);
#pragma warning disable CS0612 // Deprecated in containerd, and still read by it.
            return runc.TaskApiAddress.Length > 0 ? ShimAddress.FromEndPoint(runc.TaskApiAddress, (int)runc.TaskApiVersion) : null;
#pragma warning restore CS0612
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static ShimAddress? OfBundle(BundleRoots roots, string ns, string sandbox)
    {
        try
        {
            return Bundle.Load(roots, ns, sandbox).ReadBootstrap();
        }
        catch (RefusedException refused) when (refused.Error.Kind is ErrorKind.NotFound or ErrorKind.InvalidArgument)
        {
            // A sandbox of another kind has no shim of its own.
            return null;
        }
    }
}
