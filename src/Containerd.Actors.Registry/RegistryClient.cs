// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Fetching;
using Containerd.Actors.Registry.Hosts;
using Containerd.Actors.Registry.Pushing;

namespace Containerd.Actors.Registry;

/// <summary>Opens sessions with registries: the way images come in and go out.</summary>
/// <param name="settings">Limits and choices.</param>
/// <param name="time">The clock.</param>
/// <param name="turns">Whose turn it is to fetch in ranges, when that is not this client's alone to say.</param>
/// <remarks>Holds settings only; connections and tokens belong to a session, so that one pull or push never acts with another's credentials.</remarks>
public sealed class RegistryClient(RegistrySettings settings, TimeProvider time, RangeTurns? turns = null)
{
    private readonly RangeTurns _turns = turns ?? new RangeTurns(settings.Ranges.BlobsMax);

    /// <summary>A client on the system's clock.</summary>
    public RegistryClient(RegistrySettings settings)
        : this(settings, TimeProvider.System)
    {
    }

    /// <summary>Begins a pull; nothing is sent yet. The caller disposes the session.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="credentials">Who asks; null for those of the settings.</param>
    /// <exception cref="RefusedException">The registry's hosts.toml, or a certificate that it names, is unusable.</exception>
    public RegistrySession Open(ImageReference reference, ICredentialStore? credentials = null) =>
        new(reference, HostsDirectory.HostsOf(reference, settings), credentials ?? settings.Credentials, settings, _turns, time);

    /// <summary>Begins a push; nothing is sent yet. The caller disposes the session.</summary>
    /// <param name="reference">Where the image goes.</param>
    /// <param name="credentials">Who asks; null for those of the settings.</param>
    /// <exception cref="RefusedException">As for <see cref="Open"/>, or no host takes pushes.</exception>
    public PushSession OpenPush(ImageReference reference, ICredentialStore? credentials = null) =>
        new(reference, HostsDirectory.HostsOf(reference, settings), credentials ?? settings.Credentials, settings, time);
}
