// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Values;
using Containerd.Services.Transfer.V1;
using Containerd.Types.Transfer;
using Grpc.Core;

namespace Containerd.Actors.Client.Transfers;

/// <summary>Moves images between the daemon, registries and archives: opens the streams that a transfer needs and minds them while it lasts.</summary>
/// <param name="connection">The daemon; ours or containerd's.</param>
/// <param name="progress">Told what the daemon says of its progress, on a thread of the pool.</param>
public sealed class ImageTransfer(ContainerdConnection connection, Action<Progress> progress)
{
    private static readonly TimeSpan LetGo = TimeSpan.FromSeconds(1);

    /// <summary>Pushes an image.</summary>
    /// <param name="source">The image.</param>
    /// <param name="destination">The registry; its resolver gets the stream of credentials.</param>
    /// <param name="credentials">Answers who asks a host; null to ask anonymously.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RpcException">The daemon refused.</exception>
    public async Task PushAsync(
        ImageStore source, OCIRegistry destination, Func<AuthRequest, AuthResponse>? credentials, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (credentials is null)
        {
            await RunAsync(source, destination, static _ => Task.CompletedTask, cancellation).ConfigureAwait(false);
            return;
        }

        using ClientStream stream = await ClientStream.OpenAsync(connection, "creds", cancellation).ConfigureAwait(false);
        destination.Resolver ??= new RegistryResolver();
        destination.Resolver.AuthStream = stream.Id;
        await RunAsync(source, destination, token => AnswerAsync(stream, credentials, token), cancellation).ConfigureAwait(false);
    }

    /// <summary>Imports the images of an archive.</summary>
    /// <param name="archive">The bytes of the archive.</param>
    /// <param name="source">How to read it; gets the stream's id.</param>
    /// <param name="destination">What becomes of the images.</param>
    /// <param name="sent">Told how many bytes went to the daemon.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RpcException">The daemon refused.</exception>
    public async Task ImportAsync(
        Stream archive, ImageImportStream source, ImageStore destination, Action<long> sent, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        using ClientStream stream = await ClientStream.OpenAsync(connection, "import", cancellation).ConfigureAwait(false);
        source.Stream = stream.Id;
        await RunAsync(source, destination, token => stream.SendAsync(archive, sent, token), cancellation).ConfigureAwait(false);
    }

    /// <summary>Exports images into an archive.</summary>
    /// <param name="source">The images.</param>
    /// <param name="destination">What goes into the archive; gets the stream's id.</param>
    /// <param name="archive">Where its bytes go.</param>
    /// <param name="received">Told how many have come.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RpcException">The daemon refused.</exception>
    public async Task ExportAsync(
        ImageStore source, ImageExportStream destination, Stream archive, Action<long> received, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using ClientStream stream = await ClientStream.OpenAsync(connection, "export", cancellation).ConfigureAwait(false);
        destination.Stream = stream.Id;
        await RunAsync(source, destination, failed => stream.ReceiveAsync(archive, received, failed), cancellation, isWaitedFor: true).ConfigureAwait(false);
    }

    // The transfer's own answer is the one that counts; what minds its streams ends with it.
    private async Task RunAsync(
        Google.Protobuf.IMessage source,
        Google.Protobuf.IMessage destination,
        Func<CancellationToken, Task> mind,
        CancellationToken cancellation,
        bool isWaitedFor = false)
    {
        using ClientStream steps = await ClientStream.OpenAsync(connection, "progress", cancellation).ConfigureAwait(false);
        using CancellationTokenSource minding = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task told = TellAsync(steps, minding.Token);
        Task minded = mind(minding.Token);
        var request = new TransferRequest
        {
            Source = TypedAny.Of(source),
            Destination = TypedAny.Of(destination),
            Options = new TransferOptions { ProgressStream = steps.Id },
        };
        try
        {
            await connection.Transfer.TransferAsync(request, cancellationToken: cancellation).ConfigureAwait(false);

            // The daemon has closed its ends: what it said and sent before is on its way.
            await told.ConfigureAwait(false);
            if (isWaitedFor)
            {
                await minded.ConfigureAwait(false);
            }
        }
        catch when (minded.IsFaulted && minded.Exception.InnerException is IOException)
        {
            // The archive itself could not be read or written: that is the cause, and the daemon's answer its effect.
            await minded.ConfigureAwait(false);
            throw;
        }
        finally
        {
            await minding.CancelAsync().ConfigureAwait(false);

            // A read of standard input cannot be taken back: it ends with the program.
            await Task.WhenAny(Task.WhenAll(told, minded), Task.Delay(LetGo, CancellationToken.None)).ConfigureAwait(false);
        }
    }

    private async Task TellAsync(ClientStream steps, CancellationToken cancellation)
    {
        while (await steps.ReceiveAsync(Progress.Parser, cancellation).ConfigureAwait(false) is { } step)
        {
            progress(step);
        }
    }

    private static async Task AnswerAsync(ClientStream stream, Func<AuthRequest, AuthResponse> credentials, CancellationToken cancellation)
    {
        while (await stream.ReceiveAsync(AuthRequest.Parser, cancellation).ConfigureAwait(false) is { } question)
        {
            await stream.TrySendAsync(credentials(question), cancellation).ConfigureAwait(false);
        }
    }
}
