// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Trees;
using Containerd.Node.V1;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Node;

/// <summary>The node as it is now.</summary>
/// <param name="live">Shows the live tree.</param>
public sealed class NodeService(ILiveTree live) : Containerd.Node.V1.Node.NodeBase
{
    /// <inheritdoc />
    public override Task<TreeResponse> Tree(TreeRequest request, ServerCallContext context)
    {
        TreeResponse response = new();
        response.Nodes.AddRange(live.Walk().Select(actor => new TreeNode { Path = actor.Path, Type = actor.Type }));
        return Task.FromResult(response);
    }
}
