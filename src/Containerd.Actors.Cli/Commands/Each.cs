// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Errors;
using Grpc.Core;

namespace Containerd.Actors.Cli.Commands;

/// <summary>Does the same to several objects: each on its own, so that one failure does not keep the others from their turn.</summary>
internal static class Each
{
    /// <summary>Prints each name that was dealt with; tells each failure. Answers 1 if there was one, else 0.</summary>
    public static async Task<int> OfAsync(Session session, IEnumerable<string> names, Func<string, Task> act)
    {
        int code = 0;
        foreach (string name in names)
        {
            try
            {
                await act(name).ConfigureAwait(false);
                await session.Out.WriteLineAsync(name).ConfigureAwait(false);
            }
            catch (RpcException refused) when (refused.StatusCode != StatusCode.Cancelled)
            {
                code = Tell(session, Failures.Of(refused, name, session.Connection.Address));
            }
            catch (CliFailure told)
            {
                code = Tell(session, told);
            }
        }

        return code;
    }

    private static int Tell(Session session, CliFailure told)
    {
        session.Error.WriteLine(told.Line);
        return ExitCodes.Failed;
    }
}
