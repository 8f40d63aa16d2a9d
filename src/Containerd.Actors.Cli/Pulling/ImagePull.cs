// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Terminals;
using Containerd.Actors.Client.Connections;
using Containerd.Node.V1;
using Grpc.Core;

namespace Containerd.Actors.Cli.Pulling;

/// <summary>Has the daemon pull an image and shows how it goes.</summary>
/// <param name="connection">The daemon.</param>
/// <param name="output">Where it is shown.</param>
/// <param name="descriptor">The same place as the system knows it, to ask whether it is a terminal and how wide.</param>
/// <param name="json">Show JSON lines.</param>
internal sealed class ImagePull(ContainerdConnection connection, TextWriter output, int descriptor, bool json)
{
    private const int FallbackWidth = 80;
    private const int FallbackHeight = 24;

    /// <summary>Pulls the image and answers the digest of its target.</summary>
    /// <exception cref="CliFailure">The pull failed, or the daemon hung up before it said how it ended.</exception>
    public async Task<string> ExecuteAsync(PullRequest request, CancellationToken cancellation)
    {
        bool isTerminal = Native.IsTerminal(descriptor);
        var display = new ProgressDisplay(output, isTerminal, () =>
        {
            TerminalSize? size = Native.WindowSize(descriptor);
            return (size?.Width ?? FallbackWidth, size?.Height ?? FallbackHeight);
        });
        using AsyncServerStreamingCall<PullProgress> pull = connection.Node.Pull(request, cancellationToken: cancellation);
        await foreach (PullProgress progress in pull.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            if (json)
            {
                JsonOutput.WriteLine(output, PullDocument.From(progress), CliJson.Lines.PullDocument);
            }
            else
            {
                display.Show(progress);
            }

            switch (progress.Stage)
            {
                case "completed": return progress.Digest;
                case "failed": throw new CliFailure(request.Reference, progress.Error);
                default: break;
            }
        }

        throw new CliFailure(request.Reference, "the daemon ended the pull without a result", "the same pull again goes on where it stopped");
    }
}
