// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Events;
using Containerd.Actors.Shim.Sandboxes;
using Containerd.Actors.Shim.Starting;
using Containerd.Actors.Ttrpc;
using Containerd.Runc.V1;
using Containerd.Runtime.Task.V3;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Containers;

/// <summary>The containers of this shim that tasks stand for; that of a sandbox is not among them.</summary>
/// <param name="ns">The containerd namespace.</param>
/// <param name="children">Runs the OCI runtime.</param>
/// <param name="events">Tells the daemon.</param>
internal sealed class ContainerTable(string ns, ChildProcesses children, EventPublisher events)
{
    private readonly ConcurrentDictionary<string, ShimContainer> _containers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _creating = new(StringComparer.Ordinal);

    // Containers that are gone for every caller and not yet for the OCI runtime.
    private readonly ConcurrentDictionary<string, Task> _forgetting = new(StringComparer.Ordinal);
    private volatile SandboxMembers? _members;
    private volatile bool _isClosed;

    /// <summary>Whether there is no container and none is being made.</summary>
    public bool IsEmpty => _containers.IsEmpty && _creating.IsEmpty;

    /// <summary>Ids of the containers, in order.</summary>
    public IEnumerable<string> Ids => _containers.Keys.Order(StringComparer.Ordinal);

    /// <summary>Completes when the OCI runtime has forgotten all containers that were deleted until now.</summary>
    public Task Forgotten => Task.WhenAll(_forgetting.Values);

    /// <summary>A container.</summary>
    /// <exception cref="TtrpcStatusException">NotFound.</exception>
    public ShimContainer this[string id] =>
        TryFind(id) ?? throw new TtrpcStatusException(TtrpcCode.NotFound, "container not created: not found");

    /// <summary>A container, or null.</summary>
    public ShimContainer? TryFind(string id) => _containers.GetValueOrDefault(id);

    /// <summary>Makes a container.</summary>
    /// <exception cref="TtrpcStatusException">It cannot be made, in the words of whoever refused; nothing is left of it.</exception>
    public async Task<ShimContainer> CreateAsync(CreateTaskRequest request)
    {
        TaskCompletionSource made = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_containers.ContainsKey(request.Id) || !_creating.TryAdd(request.Id, made))
        {
            throw new TtrpcStatusException(TtrpcCode.AlreadyExists, $"container {request.Id}: already exists");
        }

        try
        {
            if (_isClosed)
            {
                throw new TtrpcStatusException(TtrpcCode.Unavailable, $"cannot create container {request.Id}: its shim is ending: unavailable");
            }

            if (_forgetting.TryGetValue(request.Id, out Task? forgetting))
            {
                await forgetting.ConfigureAwait(false);
            }

            Options options = OptionsOf(request);
            SandboxMembers? members = _members;
            members?.Add(request.Id, request.Bundle, options);
            ShimContainer container = await ShimContainer.CreateAsync(request, options, ns, children, events.Publish).ConfigureAwait(false);
            _containers[request.Id] = container;
            if (members != _members)
            {
                // The sandbox came meanwhile.
                _members!.Add(request.Id, request.Bundle, options);
            }

            return container;
        }
        catch (Exception failure)
        {
            _members?.Remove(request.Id);
            if (failure is LinuxException or IOException or FormatException)
            {
                throw new TtrpcStatusException(TtrpcCode.Unknown, failure.Message);
            }

            throw;
        }
        finally
        {
            _creating.TryRemove(request.Id, out _);
            made.TrySetResult();
        }
    }

    /// <summary>Removes a container that does not run.</summary>
    /// <exception cref="TtrpcStatusException">NotFound, or it runs.</exception>
    public async Task<DeleteResponse> DeleteAsync(string id)
    {
        ShimContainer container = this[id];
        DeleteResponse answer = await container.DeleteAsync().ConfigureAwait(false);
        if (!container.Forgotten.IsCompleted)
        {
            _forgetting[id] = ForgetAsync(id, container.Forgotten);
        }

        if (_containers.TryRemove(id, out _))
        {
            container.Dispose();
        }

        // Of a task that joined a sandbox the daemon asks nothing more before it removes the bundle, where the OCI runtime works.
        if (_members is { } members)
        {
            await container.Forgotten.ConfigureAwait(false);
            members.Remove(id);
        }

        return answer;
    }

    /// <summary>Keeps, from now on, a record in the bundle of a sandbox of what is here.</summary>
    public void RecordIn(SandboxMembers members)
    {
        _members = members;
        foreach (ShimContainer container in _containers.Values)
        {
            members.Add(container.Id, container.Bundle, container.Options);
        }
    }

    /// <summary>Ends what runs by force and waits for that; how it ended is kept until it is deleted.</summary>
    public Task EndAllAsync(CancellationToken cancellation) =>
        Task.WhenAll(_containers.Values.Select(container => container.EndAsync(cancellation)));

    /// <summary>Ends and deletes all containers; none can be made from then on.</summary>
    public async Task CloseAsync(CancellationToken cancellation)
    {
        _isClosed = true;
        await Task.WhenAll(_creating.Values.Select(made => made.Task)).WaitAsync(cancellation).ConfigureAwait(false);
        await EndAllAsync(cancellation).ConfigureAwait(false);
        foreach (string id in Ids)
        {
            try
            {
                await DeleteAsync(id).ConfigureAwait(false);
            }
            catch (TtrpcStatusException gone) when (gone.Code == TtrpcCode.NotFound)
            {
                // Its task was deleted meanwhile.
            }
        }

        await Forgotten.ConfigureAwait(false);
    }

    private async Task ForgetAsync(string id, Task forgotten)
    {
        await forgotten.ConfigureAwait(false);
        _forgetting.TryRemove(id, out _);
    }

    private static Options OptionsOf(CreateTaskRequest request)
    {
        try
        {
            return StartInput.OptionsOf(request.Options);
        }
        catch (FormatException foreign)
        {
            throw new TtrpcStatusException(TtrpcCode.InvalidArgument, $"{foreign.Message}: invalid argument");
        }
    }
}
