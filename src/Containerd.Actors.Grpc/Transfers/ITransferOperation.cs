// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Calls;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>What Transfer does for one kind of source and one kind of destination.</summary>
public interface ITransferOperation
{
    /// <summary>Type of the source, for example <c>containerd.types.transfer.OCIRegistry</c>.</summary>
    string Source { get; }

    /// <summary>Type of the destination.</summary>
    string Destination { get; }

    /// <summary>Does it, and returns when all is done. Giving up undoes nothing that is complete.</summary>
    Task RunAsync(Any source, Any destination, TransferCall call, CancellationToken cancellationToken);
}

/// <summary>An operation between messages of two types: derive one, and name it in <see cref="TransferServices.AddTransfers"/>.</summary>
public abstract class TransferOperation<TSource, TDestination>(MessageParser<TSource> sources, MessageParser<TDestination> destinations)
    : ITransferOperation
    where TSource : class, IMessage<TSource>, new()
    where TDestination : class, IMessage<TDestination>, new()
{
    /// <inheritdoc />
    public string Source { get; } = new TSource().Descriptor.FullName;

    /// <inheritdoc />
    public string Destination { get; } = new TDestination().Descriptor.FullName;

    /// <inheritdoc />
    public Task RunAsync(Any source, Any destination, TransferCall call, CancellationToken cancellationToken) =>
        RunAsync(source.Read(sources), destination.Read(destinations), call, cancellationToken);

    /// <summary>Does it.</summary>
    protected abstract Task RunAsync(TSource source, TDestination destination, TransferCall call, CancellationToken cancellationToken);
}
