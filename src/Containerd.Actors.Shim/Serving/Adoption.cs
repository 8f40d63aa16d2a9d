// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Cgroups;
using Containerd.Actors.Shim.Containers;
using Containerd.Actors.Shim.Starting;
using Containerd.Actors.Ttrpc;
using Containerd.Adoption.V1;
using Containerd.Runc.V1;
using Containerd.Runtime.Bootstrap.V1;

namespace Containerd.Actors.Shim.Serving;

/// <summary>Takes the bundle that the daemon gives to this shim: what the action <c>start</c> does, without a further process.</summary>
/// <param name="serve">Serves what on which socket.</param>
internal sealed class Adoption(Action<ShimDuty, Socket> serve)
{
    private const string Service = "containerd.actors.shim.v1.Adoption";
    private int _isTaken;

    /// <summary>Adds the method to a table.</summary>
    public void AddTo(TtrpcHandlers handlers) =>
        handlers.Add(Service, "Adopt", AdoptRequest.Parser, (_, request) => Task.FromResult(Adopt(request)));

    private AdoptResponse Adopt(AdoptRequest request)
    {
        if (Interlocked.Exchange(ref _isTaken, 1) != 0)
        {
            throw new TtrpcStatusException(TtrpcCode.FailedPrecondition, "this shim has a bundle: failed precondition");
        }

        try
        {
            return Take(request.Bundle, request.Parameters);
        }
        catch (Exception failure) when (failure is LinuxException or IOException or FormatException or SocketException or UnauthorizedAccessException)
        {
            throw new TtrpcStatusException(TtrpcCode.Unknown, failure.Message);
        }
    }

    private AdoptResponse Take(string bundle, BootstrapParams parameters)
    {
        (string ns, string id, string daemon) = (parameters.Namespace, parameters.InstanceId, parameters.ContainerdGrpcAddress);

        // From here on a daemon that lost its memory finds this process by its command line.
        if (!CommandLine.TryShow([Environment.GetCommandLineArgs()[0], "-namespace", ns, "-id", id, "-address", daemon]))
        {
            throw new FormatException("the command line has no room for namespace, id and address");
        }

        Environment.SetEnvironmentVariable("NAMESPACE", ns);
        Directory.SetCurrentDirectory(bundle);
        ShimHost.LogTo(bundle);
        Options options = StartInput.OptionsOf(parameters.Extensions.Select(extension => extension.Value).FirstOrDefault());
        string directory = parameters is { HasSocketDir: true, SocketDir.Length: > 0 } ? parameters.SocketDir : ShimSocket.DefaultDirectory;
        string path = ShimSocket.PathOf(directory, daemon, ns, BundleConfig.Read(bundle).Group ?? id);
        Socket? listener = ShimSocket.Listen(path);
        StartAction.Record(directory, path);
        if (listener is not null)
        {
            if (options.ShimCgroup.Length > 0)
            {
                CgroupMembership.Add(options.ShimCgroup, Environment.ProcessId);
            }

            serve(new ShimDuty(ns, parameters.ContainerdTtrpcAddress, path, options), listener);
        }

        return new AdoptResponse
        {
            Result = new BootstrapResult { Version = 3, Address = ShimSocket.AddressOf(path), Protocol = "ttrpc" },
            IsServed = listener is null,
        };
    }
}
