// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;
using Containerd.Actors.Grpc.Streaming;
using Microsoft.Extensions.DependencyInjection;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Which operation a source and a destination mean together.</summary>
public sealed class TransferTable(IEnumerable<ITransferOperation> operations)
{
    private readonly FrozenDictionary<(string, string), ITransferOperation> _operations =
        operations.ToFrozenDictionary(operation => (operation.Source, operation.Destination));

    /// <summary>The operation for types of these names, or null when there is none.</summary>
    public ITransferOperation? Find(string source, string destination) => _operations.GetValueOrDefault((source, destination));
}

/// <summary>The table of the pairs that are served.</summary>
public static class TransferServices
{
    /// <summary>Adds every pair. The host adds <see cref="LiveStreams"/>, which the tree has a part in. A further pair is one more line here and a file of its own.</summary>
    public static IServiceCollection AddTransfers(this IServiceCollection services) => services
        .AddSingleton<TransferTable>()
        .AddSingleton<ITransferOperation, PullTransfer>()
        .AddSingleton<ITransferOperation, TagTransfer>()
        .AddSingleton<ITransferOperation, PushTransfer>()
        .AddSingleton<ITransferOperation, ImportTransfer>()
        .AddSingleton<ITransferOperation, ExportTransfer>()
        .AddSingleton<ITransferOperation, EchoTransfer>();
}
