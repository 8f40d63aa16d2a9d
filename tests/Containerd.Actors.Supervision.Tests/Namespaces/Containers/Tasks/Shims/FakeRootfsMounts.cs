// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.Shims;

/// <summary>Notes what is to be mounted and undone, and leaves a bind mount to the shim.</summary>
internal sealed class FakeRootfsMounts : IRootfsMounts
{
    public static readonly RootfsMount Left = new("bind", "/t/1/0", "", ["rbind"]);

    public List<string> Calls { get; } = [];

    public Error? Refusal { get; set; }

    public bool IsNeeded { get; set; } = true;

    public Task<ImmutableArray<RootfsMount>> ActivateAsync(
        string ns, string id, ImmutableArray<RootfsMount> mounts, Caller by, CancellationToken cancellationToken)
    {
        Called($"activate {ns}/{id}");
        return Task.FromResult(IsNeeded ? [Left] : mounts);
    }

    public Task DeactivateAsync(string ns, string id, CancellationToken cancellationToken)
    {
        Called($"deactivate {ns}/{id}");
        return Task.CompletedTask;
    }

    private void Called(string call)
    {
        Calls.Add(call);
        if (Refusal is { } refusal)
        {
            throw new RefusedException(refusal);
        }
    }
}
