// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Types.Transfer;
using Microsoft.Extensions.Logging;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Registry to image store: a pull, done by the tree; it is given up with the call unless others wait for the same.</summary>
/// <param name="system">Where the caller's listener lives.</param>
/// <param name="snapshotters">The snapshotters of the node.</param>
/// <param name="log">Where it is said what is not unpacked.</param>
public sealed partial class PullTransfer(ActorSystem system, SnapshotterNames snapshotters, ILogger<PullTransfer> log)
    : TransferOperation<OCIRegistry, ImageStore>(OCIRegistry.Parser, ImageStore.Parser)
{
    private const string DefaultSnapshotter = "overlayfs";

    // As often as containerd tells.
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(300);

    /// <inheritdoc />
    protected override async Task RunAsync(OCIRegistry source, ImageStore destination, TransferCall call, CancellationToken cancellationToken)
    {
        RegistryResolver resolver = source.Resolver ?? new RegistryResolver();
        CredentialStream? credentials = resolver.AuthStream.Length > 0 ? new CredentialStream(call.Stream(resolver.AuthStream)) : null;
        PullCommands.Pull pull = new(
            call.Namespace, source.Reference, Wish(destination), WireRegistry.ToSource(resolver), GoesOn: false, call.Caller);
        Channel<PullProgress> steps = Channel.CreateBounded<PullProgress>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef listener = system.ActorOf(PullListener.Props(
            steps.Writer,
            ended,
            find => credentials!.FindAsync(find.Host, find.Reference, cancellationToken)));
        try
        {
            await call.Progress.TellAsync($"Resolving from {PullEvents.Place(source.Reference)}", cancellationToken).ConfigureAwait(false);
            call.Tree.Root.Tell(pull, listener);
            PullProgress last = new("", source.Reference, PullStage.Resolving, [], null, null);
            await foreach (PullProgress progress in steps.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (Progress told in PullEvents.Between(last, progress))
                {
                    await call.Progress.TellAsync(told, cancellationToken).ConfigureAwait(false);
                }

                last = progress;
                if (!progress.IsFinal)
                {
                    await Task.WhenAny(ended.Task, Task.Delay(ProgressInterval, cancellationToken)).ConfigureAwait(false);
                }
            }

            if (last.Error is { } error)
            {
                throw new RefusedException(error);
            }
        }
        finally
        {
            system.Stop(listener);
        }
    }

    private PullWish Wish(ImageStore store)
    {
        if (store.ManifestLimit > int.MaxValue)
        {
            throw new RefusedException(Error.Invalid($"manifest limit {store.ManifestLimit} is too large"));
        }

        return new PullWish
        {
            Names = ImageNames.Of(store),
            Labels = store.Labels.ToLabels(),
            Platforms = new PlatformSelection(WirePlatforms.ToPlatforms(store.Platforms), Limit: (int)store.ManifestLimit),
            IncludesMetadata = store.AllMetadata,
            Unpacks = [.. Unpacks(store)],
        };
    }

    // What the node cannot unpack is fetched all the same, as containerd does.
    private IEnumerable<PullUnpack> Unpacks(ImageStore store)
    {
        foreach (UnpackConfiguration unpack in store.Unpacks)
        {
            string snapshotter = unpack.Snapshotter.Length > 0 ? unpack.Snapshotter : DefaultSnapshotter;
            Platform platform = unpack.Platform is null ? Platforms.Host : WirePlatforms.ToPlatform(unpack.Platform);
            if (snapshotters.Names.Contains(snapshotter) && PlatformMatcher.Default.Match(platform))
            {
                yield return new PullUnpack(platform, snapshotter);
            }
            else
            {
                NotUnpacked(store.Name, Platforms.Text(platform), snapshotter);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Image}: unpacking for {Platform} with {Snapshotter} is not supported here; the image is fetched only")]
    private partial void NotUnpacked(string image, string platform, string snapshotter);
}
