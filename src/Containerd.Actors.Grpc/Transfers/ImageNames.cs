// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Values;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>The names under which an image store wants a target to be known.</summary>
public static class ImageNames
{
    /// <summary>The name itself and the further references that are complete; prefixes are for archives, which bring names of their own.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public static ImmutableArray<PullName> Of(ImageStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        IEnumerable<PullName> further = store.ExtraReferences
            .Where(reference => !reference.IsPrefix)
            .Select(reference => new PullName(reference.Name, reference.AddDigest));
        ImmutableArray<PullName> names = [.. further.Prepend(new PullName(store.Name)).Where(name => name.Name.Length > 0).Distinct()];
        return names.IsEmpty ? throw new RefusedException(Error.NotFound("no image name provided")) : names;
    }

    /// <summary>Makes the names stand for the target, whatever they stood for before.</summary>
    public static async Task StoreAsync(this TransferCall call, ImageStore store, Descriptor target, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        foreach (PullName name in Of(store))
        {
            await call.PutAsync(name.Of(target.Digest), target, Labels.From(store.Labels), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Makes one name stand for the target, whatever it stood for before.</summary>
    public static async Task<ImageRecord> PutAsync(
        this TransferCall call, string name, Descriptor target, ImmutableSortedDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        while (true)
        {
            try
            {
                return await call.Tree.AskAsync(
                    new ImageCommands.Create(call.Namespace, name, target, labels, null, call.Caller), cancellationToken).ConfigureAwait(false);
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
            {
                // It is changed instead.
            }

            try
            {
                return await call.Tree.AskAsync(
                    new ImageCommands.Update(call.Namespace, name, target, labels, [], null, call.Caller), cancellationToken).ConfigureAwait(false);
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
            {
                // Removed between the two: then it can be made.
            }
        }
    }
}
