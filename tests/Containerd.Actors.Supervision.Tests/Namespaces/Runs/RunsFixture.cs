// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Namespaces.Runs;
using Containerd.Actors.Supervision.Tests.Namespaces.Pulls;
using Containerd.Actors.Supervision.Tests.Namespaces.Transfers;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Runs;

/// <summary>Runs on a tree of which one actor knows what there is, and on virtual time.</summary>
public abstract class RunsFixture : TestKit
{
    protected const string Ns = "default";
    protected static readonly Caller By = new(Principal.User(0, 0, 42, "/usr/bin/cactl"));
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly ConcurrentQueue<object> _asked = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();
    private readonly TaskCompletionSource<ProcessExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly MemoryContent _content = new();
    private NamespaceState _state = new(Ns) { Exists = true };

    protected RunsFixture()
        : base(ConfigurationFactory.ParseString("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"\nakka.loglevel = INFO"))
    {
        Descriptor config = Store("application/vnd.oci.image.config.v1+json", ImageDocuments.Write(new ImageConfig
        {
            Config = new ContainerConfig { Cmd = ["sleep"], Labels = new Dictionary<string, string> { ["from"] = "image" } },
            RootFs = new RootFs { DiffIds = [Digest.Of("layer"u8)] },
        }));
        Descriptor manifest = Store(
            "application/vnd.oci.image.manifest.v1+json",
            ImageDocuments.Write(new Manifest { MediaType = "application/vnd.oci.image.manifest.v1+json", Config = config }));
        _state = _state with
        {
            Images = _state.Images.Add("busybox:latest", new ImageRecord("busybox:latest", manifest, Labels.None, default, default)),
        };
    }

    protected static RunWish Wish { get; } = new("c", "busybox")
    {
        Snapshotter = "overlayfs",
        RuntimeName = "runtime",
        Stdio = new ProcessStdio("", "/out", "/err", false),
    };

    /// <summary>Requests that are refused, by what <see cref="Deed"/> calls them.</summary>
    protected ConcurrentDictionary<string, Error> Refusals { get; } = new();

    /// <summary>Records that there are.</summary>
    protected ConcurrentDictionary<string, ContainerRecord> Records { get; } = new();

    /// <summary>The tasks that there are, by container.</summary>
    protected ConcurrentDictionary<string, ProcessStatus> Tasks { get; } = new();

    protected TestScheduler Scheduler => (TestScheduler)Sys.Scheduler;

    protected static RunSettings Settings { get; } = new() { ChildrenMax = 2 };

    /// <summary>What was changed, in order.</summary>
    protected IReadOnlyList<string> Deeds => [.. _asked.Select(Deed).Where(deed => deed.Length > 0)];

    private protected IEnumerable<T> Asked<T>() => _asked.OfType<T>();

    protected IActorRef Runs()
    {
        IActorRef tree = Sys.ActorOf(Props.Create(() => new Tree(this)));
        return Sys.ActorOf(RunsSupervisor.Props(Ns, tree, _content, Settings, PullsFixture.Bounds(unpacksMax: 2), TimeProvider.System));
    }

    /// <summary>A probe that asks for a run.</summary>
    protected TestProbe Ask(IActorRef runs, RunWish wish)
    {
        TestProbe asker = CreateTestProbe();
        runs.Tell(new RunCommands.Run(Ns, wish, By), asker);
        return asker;
    }

    protected static async Task<string> RefusalAsync(TestProbe asker) => (await asker.ExpectMsgAsync<Refused<Nothing>>(Patience)).Error.Text;

    /// <summary>Holds answers to a deed back until the returned source is completed.</summary>
    protected TaskCompletionSource Hold(string deed) =>
        _gates[deed] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The process ends.</summary>
    protected void Exit(uint status)
    {
        Tasks["c"] = ProcessStatus.Stopped;
        _exit.TrySetResult(new ProcessExit(7, status, DateTimeOffset.UnixEpoch));
    }

    protected async Task AskedAsync<T>(int times = 1) =>
        await AwaitConditionAsync(() => Task.FromResult(Asked<T>().Count() >= times), Patience, TimeSpan.FromMilliseconds(5));

    private Descriptor Store(string mediaType, byte[] bytes)
    {
        var digest = Digest.Of(bytes);
        _content.Blobs[digest] = bytes;
        _state = _state with { Content = _state.Content.Add(digest, new ContentRecord(digest, bytes.Length, Labels.None, default, default)) };
        return new Descriptor(mediaType, digest, bytes.Length);
    }

    private static string Deed(object message) => message switch
    {
        ContainerRoots.Set => "keep",
        ContainerRoots.Remove => "let go",
        SnapshotterCommands.Prepare => "prepare",
        MountCommands.FindUser => "find user",
        ContainerCommands.Create => "create",
        TaskCommands.Create => "create task",
        TaskCommands.ResizePty => "resize",
        TaskCommands.Start => "start",
        TaskCommands.Kill => "kill",
        TaskCommands.Delete => "delete task",
        ContainerCommands.Delete => "delete",
        SnapshotCommands.Remove => "remove",
        _ => "",
    };

    private async Task AnswerAsync(object message, IActorRef asker)
    {
        if (_gates.TryGetValue(Deed(message), out TaskCompletionSource? gate))
        {
            await gate.Task;
        }

        if (message is TaskQueries.Wait && Tasks.ContainsKey("c"))
        {
            asker.Tell(Reply.Done(await _exit.Task));
            return;
        }

        asker.Tell(Refusals.TryGetValue(Deed(message), out Error? error) ? ((IRequest)message).Refusal(error) : Answer(message));
    }

    private object Answer(object message)
    {
        switch (message)
        {
            case NamespaceQueries.GetState: return Reply.Done(_state);
            case SnapshotterCommands.Prepare: return Reply.Done<ImmutableArray<Mount>>([new Mount("overlay", "overlay", "", ["rw"])]);
            case MountCommands.FindUser: return Reply.Done(new UserSpec(33, 44));
            case ContainerCommands.Create create: return Reply.Done(Records[create.ContainerId] = create.Container with { CreatedAt = DateTimeOffset.UnixEpoch });
            case ContainerQueries.Get get:
                return Records.TryGetValue(get.ContainerId, out ContainerRecord? record) ? Reply.Done(record) : Missing<ContainerRecord>();
            case ContainerQueries.List: return Reply.Done<ImmutableArray<ContainerRecord>>([.. Records.Values]);
            case ContainerCommands.Delete delete: return Records.TryRemove(delete.ContainerId, out _) ? Reply.Done() : Missing<Nothing>();
            case TaskCommands.Create create:
                Tasks[create.ContainerId] = ProcessStatus.Created;
                return Reply.Done(7u);
            case TaskCommands.Start start:
                Tasks[start.ContainerId] = ProcessStatus.Running;
                return Reply.Done(7u);
            case TaskCommands.Kill:
                Exit(137);
                return Reply.Done();
            case TaskQueries.Get get:
                return Tasks.TryGetValue(get.ContainerId, out ProcessStatus status)
                    ? Reply.Done(new ProcessRecord("c", "", 7, status, new ProcessStdio("", "", "", false), null))
                    : Missing<ProcessRecord>();
            case TaskCommands.Delete delete:
                return Tasks.TryRemove(delete.ContainerId, out _) ? Reply.Done(new ProcessExit(7, 0, null)) : Missing<ProcessExit>();
            case TaskQueries.Wait: return Missing<ProcessExit>();
            default: return Reply.Done();
        }
    }

    private static Reply<T> Missing<T>() => Reply.Refused<T>(Error.NotFound("c"));

    private sealed class Tree(RunsFixture fixture) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            fixture._asked.Enqueue(message);
            _ = fixture.AnswerAsync(message, Sender);
        }
    }
}
