// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Filters;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Content;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Runc.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Process = Containerd.V1.Types.Process;
using ProcessInfo = Containerd.V1.Types.ProcessInfo;
using Status = Containerd.V1.Types.Status;

namespace Containerd.Actors.Grpc.Tasks;

/// <summary>containerd.services.tasks.v1.Tasks.</summary>
public sealed class TasksService(Tree tree) : Services.Tasks.V1.Tasks.TasksBase
{
    private const string RestoreFromPath = "RestoreFromPath";
    private const string CheckpointOptionsName = "containerd.runc.v1.CheckpointOptions";
    private const string RuncOptionsName = "containerd.runc.v1.Options";

    /// <inheritdoc />
    public override async Task<CreateTaskResponse> Create(CreateTaskRequest request, ServerCallContext context)
    {
        ProcessStdio stdio = new(request.Stdin, request.Stdout, request.Stderr, request.Terminal);
        TaskCommands.Create create = new(context.Namespace(), request.ContainerId, [.. request.Rootfs.Select(ToMount)], stdio, context.Caller())
        {
            CheckpointPath = RestorePathOf(request),
            Checkpoint = RestoreImageOf(request),
            Options = request.Options.ToValue(),
            RuntimePath = request.RuntimePath,
            TaskApiAddress = request.TaskApiAddress,
            TaskApiVersion = request.TaskApiVersion,
        };
        uint pid = await tree.AwaitAsync(create, context.CancellationToken).ConfigureAwait(false);
        return new CreateTaskResponse { ContainerId = request.ContainerId, Pid = pid };
    }

    /// <inheritdoc />
    public override async Task<StartResponse> Start(StartRequest request, ServerCallContext context)
    {
        TaskCommands.Start start = new(context.Namespace(), request.ContainerId, request.ExecId, context.Caller());
        return new StartResponse { Pid = await tree.AwaitAsync(start, context.CancellationToken).ConfigureAwait(false) };
    }

    /// <inheritdoc />
    public override async Task<DeleteResponse> Delete(DeleteTaskRequest request, ServerCallContext context)
    {
        TaskCommands.Delete delete = new(context.Namespace(), request.ContainerId, context.Caller());
        return ToWire("", await tree.AwaitAsync(delete, context.CancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc />
    public override async Task<DeleteResponse> DeleteProcess(DeleteProcessRequest request, ServerCallContext context)
    {
        TaskCommands.DeleteProcess delete = new(context.Namespace(), request.ContainerId, request.ExecId, context.Caller());
        return ToWire(request.ExecId, await tree.AwaitAsync(delete, context.CancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc />
    public override async Task<GetResponse> Get(GetRequest request, ServerCallContext context)
    {
        TaskQueries.Get get = new(context.Namespace(), request.ContainerId, request.ExecId, context.Caller());
        return new GetResponse { Process = ToWire(await tree.AskAsync(get, context.CancellationToken).ConfigureAwait(false)) };
    }

    /// <summary>All tasks of the namespace; the filter is not looked at, as in containerd.</summary>
    public override async Task<ListTasksResponse> List(ListTasksRequest request, ServerCallContext context)
    {
        TaskQueries.List list = new(context.Namespace(), context.Caller());
        return new ListTasksResponse { Tasks = { (await tree.AskAsync(list, context.CancellationToken).ConfigureAwait(false)).Select(ToWire) } };
    }

    /// <inheritdoc />
    public override Task<Empty> Kill(KillRequest request, ServerCallContext context) => DoAsync(
        new TaskCommands.Kill(context.Namespace(), request.ContainerId, request.ExecId, request.Signal, request.All, context.Caller()), context);

    /// <inheritdoc />
    public override Task<Empty> Exec(ExecProcessRequest request, ServerCallContext context) => DoAsync(
        new TaskCommands.Exec(
            context.Namespace(),
            request.ContainerId,
            request.ExecId,
            request.Spec.ToValue(),
            new ProcessStdio(request.Stdin, request.Stdout, request.Stderr, request.Terminal),
            context.Caller()),
        context);

    /// <inheritdoc />
    public override Task<Empty> ResizePty(ResizePtyRequest request, ServerCallContext context) => DoAsync(
        new TaskCommands.ResizePty(
            context.Namespace(), request.ContainerId, request.ExecId, request.Width, request.Height, context.Caller()),
        context);

    /// <inheritdoc />
    public override Task<Empty> CloseIO(CloseIORequest request, ServerCallContext context) => DoAsync(
        new TaskCommands.CloseIO(context.Namespace(), request.ContainerId, request.ExecId, request.Stdin, context.Caller()), context);

    /// <inheritdoc />
    public override Task<Empty> Pause(PauseTaskRequest request, ServerCallContext context) =>
        DoAsync(new TaskCommands.Pause(context.Namespace(), request.ContainerId, context.Caller()), context);

    /// <inheritdoc />
    public override Task<Empty> Resume(ResumeTaskRequest request, ServerCallContext context) =>
        DoAsync(new TaskCommands.Resume(context.Namespace(), request.ContainerId, context.Caller()), context);

    /// <inheritdoc />
    public override Task<Empty> Update(UpdateTaskRequest request, ServerCallContext context) => DoAsync(
        new TaskCommands.Update(
            context.Namespace(), request.ContainerId, request.Resources.ToValue(), Labels.From(request.Annotations), context.Caller()),
        context);

    /// <inheritdoc />
    public override async Task<ListPidsResponse> ListPids(ListPidsRequest request, ServerCallContext context)
    {
        TaskQueries.Pids list = new(context.Namespace(), request.ContainerId, context.Caller());
        ImmutableArray<PidRecord> pids = await tree.AskAsync(list, context.CancellationToken).ConfigureAwait(false);
        return new ListPidsResponse { Processes = { pids.Select(pid => new ProcessInfo { Pid = pid.Pid, Info = pid.Details.ToAny() }) } };
    }

    /// <summary>Writes an image of the processes to the directory the options name.</summary>
    /// <remarks>Without one the image becomes content; the answer names it, and the spec beside it.</remarks>
    public override async Task<CheckpointTaskResponse> Checkpoint(CheckpointTaskRequest request, ServerCallContext context)
    {
        string path = CheckpointPathOf(request.Options);
        if (path.Length == 0)
        {
            CheckpointCommands.ToContent checkpoint = new(context.Namespace(), request.ContainerId, request.Options.ToValue(), context.Caller());
            return new CheckpointTaskResponse
            {
                Descriptors = { (await tree.AwaitAsync(checkpoint, context.CancellationToken).ConfigureAwait(false)).Select(ToWire) },
            };
        }

        await DoAsync(
            new TaskCommands.Checkpoint(context.Namespace(), request.ContainerId, path, request.Options.ToValue(), context.Caller()),
            context).ConfigureAwait(false);
        return new CheckpointTaskResponse();
    }

    /// <summary>One metric for each task that answers; the others are left out.</summary>
    public override async Task<MetricsResponse> Metrics(MetricsRequest request, ServerCallContext context)
    {
        string ns = context.Namespace();
        Caller caller = context.Caller();
        FilterSet filters = ParseUnclassified(request.Filters);
        ImmutableArray<ProcessRecord> tasks = await tree.AskAsync(
            new TaskQueries.List(ns, caller), context.CancellationToken).ConfigureAwait(false);
        TaskMetric?[] metrics = await Task.WhenAll(tasks.Where(task => filters.Matches(AdaptorOf(ns, task))).Select(
            task => TryMeasureAsync(new TaskQueries.Stats(ns, task.ContainerId, caller), context.CancellationToken))).ConfigureAwait(false);
        return new MetricsResponse
        {
            Metrics =
            {
                metrics.OfType<TaskMetric>().Select(metric => new Metric
                {
                    Id = metric.ContainerId, Timestamp = Timestamp.FromDateTimeOffset(metric.At), Data = metric.Stats.ToAny(),
                }),
            },
        };
    }

    /// <inheritdoc />
    public override async Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context)
    {
        TaskQueries.Wait wait = new(context.Namespace(), request.ContainerId, request.ExecId, context.Caller());
        ProcessExit exit = await tree.AwaitAsync(wait, context.CancellationToken).ConfigureAwait(false);
        return new WaitResponse { ExitStatus = exit.Status, ExitedAt = exit.ExitedAt.ToTimestamp() };
    }

    private async Task<Empty> DoAsync(Protocol.Messages.IRequest<Protocol.Messages.Nothing> request, ServerCallContext context)
    {
        await tree.AwaitAsync(request, context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    private async Task<TaskMetric?> TryMeasureAsync(TaskQueries.Stats stats, CancellationToken cancellationToken)
    {
        try
        {
            return await tree.AskAsync(stats, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedException)
        {
            return null;
        }
    }

    // containerd leaves errors of these filters without a class.
    private static FilterSet ParseUnclassified(IEnumerable<string> filters)
    {
        try
        {
            return FilterSet.Parse(filters);
        }
        catch (RefusedException refused)
        {
            throw new RefusedException(Error.Unknown(refused.Error.Text), refused);
        }
    }

    private static FieldAdaptor AdaptorOf(string ns, ProcessRecord task) => (IReadOnlyList<string> path, out string value) =>
    {
        value = path switch
        {
            ["id"] => task.ContainerId,
            ["namespace"] => ns,
            _ => "",
        };
        return value.Length > 0;
    };

    private static RootfsMount ToMount(Mount wire) => new(wire.Type, wire.Source, wire.Target, [.. wire.Options]);

    // A directory to restore from comes as an option for runc or as an annotation of the checkpoint; the option wins, as in containerd.
    private static string RestorePathOf(CreateTaskRequest request)
    {
        string path = Is(request.Options, RuncOptionsName) ? Parse(Options.Parser, request.Options).CriuImagePath : "";
        return path.Length > 0 ? path : request.Checkpoint?.Annotations.GetValueOrDefault(RestoreFromPath, "") ?? "";
    }

    private static Oci.Images.Descriptor? RestoreImageOf(CreateTaskRequest request) =>
        request.Checkpoint is { } checkpoint && RestorePathOf(request).Length == 0
            ? new Oci.Images.Descriptor(checkpoint.MediaType, ContentService.ParseDigest(checkpoint.Digest), checkpoint.Size)
            : null;

    private static string CheckpointPathOf(Any? options) =>
        Is(options, CheckpointOptionsName) ? Parse(CheckpointOptions.Parser, options!).ImagePath : "";

    private static bool Is(Any? any, string name) => any is not null && any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..] == name;

    private static T Parse<T>(MessageParser<T> parser, Any any)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(any.Value);
        }
        catch (InvalidProtocolBufferException wrong)
        {
            throw new RefusedException(Error.Invalid($"{any.TypeUrl}: {wrong.Message}"), wrong);
        }
    }

    // The container's id is left out, as in containerd.
    private static Process ToWire(ProcessRecord process) => new()
    {
        Id = process.Id,
        Pid = process.Pid,
        Status = (Status)process.Status,
        Stdin = process.Stdio.Stdin,
        Stdout = process.Stdio.Stdout,
        Stderr = process.Stdio.Stderr,
        Terminal = process.Stdio.Terminal,
        ExitStatus = process.Exit?.Status ?? 0,
        ExitedAt = (process.Exit?.ExitedAt).ToTimestamp(),
    };

    private static Descriptor ToWire(Oci.Images.Descriptor descriptor) => new()
    {
        MediaType = descriptor.MediaType, Digest = descriptor.Digest.ToString(), Size = descriptor.Size,
    };

    private static DeleteResponse ToWire(string id, ProcessExit exit) => new()
    {
        Id = id, Pid = exit.Pid, ExitStatus = exit.Status, ExitedAt = exit.ExitedAt.ToTimestamp(),
    };
}
