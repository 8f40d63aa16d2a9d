// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Protocol.Pulls;

/// <summary>What can be asked of image verifiers.</summary>
public static class VerifierCommands
{
    /// <summary>May this image be pulled? Refused unless every configured verifier accepts it.</summary>
    /// <param name="Reference">What is pulled.</param>
    /// <param name="Target">What the reference stands for.</param>
    public sealed record Verify(string Reference, Descriptor Target) : IRequest<Nothing>;
}
