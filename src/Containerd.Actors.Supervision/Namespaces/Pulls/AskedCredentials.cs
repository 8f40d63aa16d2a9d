// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Registry.Authentication;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>The credentials of those who asked for a pull or a push, asked from them when a registry wants to know.</summary>
internal sealed class AskedCredentials(IActorRef asked, TimeSpan timeout) : ICredentialStore
{
    /// <inheritdoc />
    public async ValueTask<Credentials?> FindAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            PullCredentials found = (await asked.Ask<Reply<PullCredentials>>(new PullQueries.FindCredentials(host, ""), timeout, cancellationToken)
                .ConfigureAwait(false)).Value;
            return found == PullCredentials.Anonymous
                ? null
                : new Credentials
                {
                    Username = found.Username,
                    Secret = found.Secret,
                    IdentityToken = found.IdentityToken.Length > 0 ? found.IdentityToken : null,
                    Header = found.Header.Length > 0 ? found.Header : null,
                };
        }
        catch (AskTimeoutException)
        {
            throw new RefusedException(new Error(
                ErrorKind.DeadlineExceeded, $"no credentials for {host} within {timeout.TotalSeconds:0} s ({PullSettings.Path}.step-timeout)"));
        }
    }
}
