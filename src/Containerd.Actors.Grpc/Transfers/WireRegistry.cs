// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Values;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>How clients say that a registry is to be reached.</summary>
internal static class WireRegistry
{
    /// <summary>The same for the tree.</summary>
    /// <exception cref="RefusedException">It asks for what is not served.</exception>
    public static PullSource ToSource(RegistryResolver resolver)
    {
        if (resolver.HttpDebug != HTTPDebug.Disabled)
        {
            throw new RefusedException(Error.NotImplemented("http_debug: requests to registries are not told to clients"));
        }

        return resolver.DefaultScheme is "" or "http" or "https"
            ? new PullSource(resolver.DefaultScheme == "http", resolver.HostDir, "", "")
            {
                IsHttpsOnly = resolver.DefaultScheme == "https",
                Headers = Labels.From(resolver.Headers),
                AsksForCredentials = resolver.AuthStream.Length > 0,
            }
            : throw new RefusedException(Error.Invalid($"default scheme \"{resolver.DefaultScheme}\" is neither http nor https"));
    }
}
