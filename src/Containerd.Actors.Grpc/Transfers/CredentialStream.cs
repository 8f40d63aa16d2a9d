// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Asks a client on its stream who asks a registry, one question at a time.</summary>
internal sealed class CredentialStream(LiveStream stream)
{
    /// <summary>The client's answer.</summary>
    /// <exception cref="RefusedException">The client is gone, or its answer is none.</exception>
    public async Task<PullCredentials> FindAsync(string host, string reference, CancellationToken cancellationToken)
    {
        // Clients know Docker's hub by the host that serves it.
        AuthRequest question = new() { Host = host == "docker.io" ? "registry-1.docker.io" : host, Reference = reference };
        await stream.SendAsync(question, cancellationToken).ConfigureAwait(false);
        AuthResponse answer = await stream.ReceiveAsync(AuthResponse.Parser, cancellationToken).ConfigureAwait(false)
            ?? throw new RefusedException(Error.Unavailable($"stream \"{stream.Id}\" ended without credentials for {question.Host}"));
        return answer.AuthType switch
        {
            AuthType.None => PullCredentials.Anonymous,
            AuthType.Credentials => new PullCredentials(answer.Username, answer.Secret, "", ""),
            AuthType.Refresh => new PullCredentials("", "", answer.Secret, ""),
            AuthType.Header => new PullCredentials("", "", "", answer.Secret),
            _ => throw new RefusedException(Error.Invalid($"unknown auth type {(int)answer.AuthType} for {question.Host}")),
        };
    }
}
