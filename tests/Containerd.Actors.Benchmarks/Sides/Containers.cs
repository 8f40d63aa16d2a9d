// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Actors.Client.Values;
using Containerd.Actors.Benchmarks.Images;
using Containerd.Actors.Oci.Runtime;
using Containerd.Services.Containers.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Types;

namespace Containerd.Actors.Benchmarks.Sides;

/// <summary>Containers of busybox, made and ended through one connection that is kept, as orchestrators do.</summary>
internal sealed class Containers(ContainerdConnection connection, MadeImage image, string ociRuntime)
{
    private const string Snapshotter = "overlayfs";
    private const string Runtime = "io.containerd.runc.v2";

    private readonly ContainerLifecycle _lifecycle = new(connection, TimeProvider.System);

    /// <summary>Makes a container with its snapshot, creates its task and starts it.</summary>
    public async Task<TaskProcess> StartAsync(string id, string[] command, CancellationToken cancellation)
    {
        TaskProcess task = await CreateAsync(id, command, cancellation);
        await task.StartAsync(cancellation);
        return task;
    }

    /// <summary>Makes a container with its snapshot and creates its task, which does not run yet.</summary>
    public async Task<TaskProcess> CreateAsync(string id, string[] command, CancellationToken cancellation)
    {
        IReadOnlyList<Mount> root = await _lifecycle.CreateAsync(
            Record(id, command), image.ChainId, (_, _) => Task.CompletedTask, cancellation);
        CreateTaskRequest create = new() { ContainerId = id, Options = TypedAny.Of(Options) };
        create.Rootfs.AddRange(root);
        await connection.Tasks.CreateAsync(create, cancellationToken: cancellation);
        return new TaskProcess(connection, id);
    }

    /// <summary>Makes the record of a container that has no files.</summary>
    public async Task RecordAsync(string id, CancellationToken cancellation) => await connection.Containers.CreateAsync(
        new CreateContainerRequest { Container = Record(id, ["true"]) }, cancellationToken: cancellation);

    /// <summary>Ends the task if there is one, and removes the container with its snapshot.</summary>
    public Task RemoveAsync(string id, CancellationToken cancellation) => _lifecycle.RemoveAsync(id, force: true, cancellation);

    /// <summary>The containers that are there.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellation) =>
        [.. (await connection.Containers.ListAsync(new ListContainersRequest(), cancellationToken: cancellation)).Containers.Select(container => container.Id)];

    private Runc.V1.Options Options => new() { BinaryName = ociRuntime };

    private Container Record(string id, string[] command)
    {
        Container container = new()
        {
            Id = id,
            Image = image.Reference,
            Snapshotter = Snapshotter,
            Runtime = new Container.Types.Runtime { Name = Runtime, Options = TypedAny.Of(Options) },
        };
        container.Spec = TypedAny.OfJson(TypedAny.SpecUrl, RuntimeSpecBuilder.Build(connection.Namespace, id, new RuntimeSpecOptions { Args = command }).ToJson());
        return container;
    }
}
