// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Runc.V1;
using Containerd.Services.Containers.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Images of processes as content, with a real shim that writes and reads them; CRIU itself is the runtime's business.</summary>
public sealed class CheckpointSpecs(Machine machine) : IClassFixture<Machine>
{
    private const string ImageType = "application/vnd.containerd.container.criu.checkpoint.criu.tar";
    private static readonly string PodShim = Path.Combine(AppContext.BaseDirectory, "containerd-shim-pod-v1");
    private static readonly Any Spec = new()
    {
        TypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/Spec",
        Value = ByteString.CopyFromUtf8("{\"process\":{\"args\":[\"/bin/sleep\",\"600\"]}}"),
    };

    [SkippableFact]
    public async Task A_task_becomes_content_and_another_is_restored_from_it()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace);
        await ContainerAsync(daemon, "frozen");
        await daemon.Tasks.CreateAsync(new CreateTaskRequest { ContainerId = "frozen" });
        await daemon.Tasks.StartAsync(new StartRequest { ContainerId = "frozen" });
        CheckpointTaskResponse written = await daemon.Tasks.CheckpointAsync(new CheckpointTaskRequest { ContainerId = "frozen" });
        Assert.Equal([ImageType, "application/vnd.containerd.container.checkpoint.config.v1+proto"], written.Descriptors.Select(each => each.MediaType));
        Assert.Equal(Spec, Any.Parser.ParseFrom(await ReadAsync(daemon, written.Descriptors[1].Digest)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(machine.Root, "checkpoints")));
        await ContainerAsync(daemon, "thawed");
        await daemon.Tasks.CreateAsync(new CreateTaskRequest { ContainerId = "thawed", Checkpoint = written.Descriptors[0] });
        await daemon.Tasks.StartAsync(new StartRequest { ContainerId = "thawed" });
        await EndAsync(daemon, "frozen");
        await EndAsync(daemon, "thawed");

        // The last part of a deletion goes on after its answer.
        string work = Path.Combine(machine.Root, "io.containerd.runtime.v2.task", "default", "thawed");
        await Command.UntilAsync(() => machine.CtrAsync("version"), _ => !Directory.Exists(work));
    }

    [SkippableFact]
    public async Task What_cannot_be_restored_or_frozen_is_refused_in_the_words_of_containerd()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace);
        await ContainerAsync(daemon, "refused");
        string none = "sha256:" + new string('0', 64);
        Assert.Equal(
            (StatusCode.NotFound, $"content digest {none}: not found"),
            await RefusalAsync(daemon, new Descriptor { MediaType = ImageType, Digest = none, Size = 1 }));
        await daemon.Tasks.CreateAsync(new CreateTaskRequest { ContainerId = "refused" });
        await daemon.Tasks.StartAsync(new StartRequest { ContainerId = "refused" });
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => daemon.Tasks.CheckpointAsync(
            new CheckpointTaskRequest { ContainerId = "refused", Options = new Any { TypeUrl = "other", Value = ByteString.CopyFromUtf8("x") } }).ResponseAsync);
        Assert.Equal((StatusCode.Unknown, $"invalid task checkpoint option for {PodShim}"), (refused.StatusCode, refused.Status.Detail));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(machine.Root, "checkpoints")));
        await EndAsync(daemon, "refused");
    }

    [SkippableFact]
    public async Task A_task_is_written_to_the_path_that_its_client_names()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string path = Directory.CreateTempSubdirectory("image-").FullName;
        using ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace);
        await ContainerAsync(daemon, "path");
        await daemon.Tasks.CreateAsync(new CreateTaskRequest { ContainerId = "path" });
        await daemon.Tasks.StartAsync(new StartRequest { ContainerId = "path" });
        CheckpointOptions options = new() { ImagePath = path };
        CheckpointTaskResponse written = await daemon.Tasks.CheckpointAsync(new CheckpointTaskRequest
        {
            ContainerId = "path", Options = new Any { TypeUrl = CheckpointOptions.Descriptor.FullName, Value = options.ToByteString() },
        });
        Assert.Empty(written.Descriptors);
        Assert.True(File.Exists(Path.Combine(path, "image")));
        await EndAsync(daemon, "path");
        await ContainerAsync(daemon, "back");
        await daemon.Tasks.CreateAsync(new CreateTaskRequest
        {
            ContainerId = "back", Checkpoint = new Descriptor { MediaType = "x", Annotations = { ["RestoreFromPath"] = path } },
        });
        await daemon.Tasks.StartAsync(new StartRequest { ContainerId = "back" });
        await EndAsync(daemon, "back");
        Directory.Delete(path, recursive: true);
    }

    private static async Task<(StatusCode Code, string Text)> RefusalAsync(ContainerdConnection daemon, Descriptor checkpoint)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(
            () => daemon.Tasks.CreateAsync(new CreateTaskRequest { ContainerId = "refused", Checkpoint = checkpoint }).ResponseAsync);
        return (refused.StatusCode, refused.Status.Detail);
    }

    private static Task<CreateContainerResponse> ContainerAsync(ContainerdConnection daemon, string id) => daemon.Containers.CreateAsync(new CreateContainerRequest
    {
        Container = new Container { Id = id, Runtime = new Container.Types.Runtime { Name = PodShim }, Spec = Spec },
    }).ResponseAsync;

    private static async Task EndAsync(ContainerdConnection daemon, string id)
    {
        AsyncUnaryCall<WaitResponse> ended = daemon.Tasks.WaitAsync(new WaitRequest { ContainerId = id });
        await daemon.Tasks.KillAsync(new KillRequest { ContainerId = id, Signal = 9 });
        await ended;
        await daemon.Tasks.DeleteAsync(new DeleteTaskRequest { ContainerId = id });
        await daemon.Containers.DeleteAsync(new DeleteContainerRequest { Id = id });
    }

    private static async Task<byte[]> ReadAsync(ContainerdConnection daemon, string digest)
    {
        using AsyncServerStreamingCall<Services.Content.V1.ReadContentResponse> call =
            daemon.Content.Read(new Services.Content.V1.ReadContentRequest { Digest = digest });
        MemoryStream bytes = new();
        await foreach (Services.Content.V1.ReadContentResponse part in call.ResponseStream.ReadAllAsync())
        {
            part.Data.WriteTo(bytes);
        }

        return bytes.ToArray();
    }
}
