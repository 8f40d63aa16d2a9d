// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Runs;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Runs.V1;
using Grpc.Core;
using RunStage = Containerd.Actors.Protocol.Runs.RunStage;

namespace Containerd.Actors.Grpc.Tests.Runs;

/// <summary>Runs as the service tells them, on a tree that is one actor.</summary>
public sealed class RunsServiceSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly ActorSystem _system = ActorSystem.Create("runs", "akka.loglevel = OFF");
    private readonly BlockingCollection<(RunCommands.Run Run, IActorRef Asker)> _asked = [];
    private readonly IActorRef _root;

    public RunsServiceSpecs() => _root = _system.ActorOf(Props.Create(() => new Root(_asked)));

    public void Dispose()
    {
        _system.Dispose();
        _asked.Dispose();
    }

    [Fact]
    public async Task A_request_says_what_is_wanted_and_what_it_does_not_say_is_the_images()
    {
        RunRequest request = new()
        {
            Id = "c",
            Image = "busybox",
            Snapshotter = "overlayfs",
            Runtime = "r",
            Stdout = "/out",
            Remove = true,
            TerminalSize = new TerminalSize { Width = 80, Height = 25 },
            Options = new ContainerOptions { Entrypoint = "", MemoryLimit = 5, Mounts = { new Types.Mount { Type = "bind", Source = "/a", Target = "/b", Options = { "ro" } } } },
        };
        _ = Serve(request, new Answers(), FakeCall.In("k8s.io"));
        RunCommands.Run run = Asked().Run;
        Assert.Equal(("k8s.io", "c", "busybox", true, FakeCall.Root), (run.Namespace, run.Wish.Id, run.Wish.Image, run.Wish.Removes, run.By.Principal));
        Assert.Equal(("", 5L, (80u, 25u)), (run.Wish.Spec.Entrypoint, run.Wish.Spec.MemoryLimit, run.Wish.TerminalSize));
        Assert.Equal(("/b", "/a", "ro"), run.Wish.Spec.Mounts.Select(mount => (mount.Destination, mount.Source, mount.Options[0])).Single());
        Assert.Null(run.Wish.Spec.User);
        Assert.Null(run.Wish.Spec.Cwd);
        Assert.Null(run.Wish.Spec.CpuQuota);
    }

    [Fact]
    public async Task Every_step_is_told_with_its_stages_and_the_call_ends_with_the_run()
    {
        var answers = new Answers();
        Task call = Serve(new RunRequest { Id = "c" }, answers, FakeCall.In("default"));
        IActorRef asker = Asked().Asker;
        asker.Tell(new RunProgress.Started(7, [new RunStage("image", TimeSpan.FromMilliseconds(1.5))]));
        asker.Tell(new RunProgress.Exited(new ProcessExit(7, 3, DateTimeOffset.UnixEpoch), []));
        asker.Tell(new RunProgress.Removed([]));
        asker.Tell(Reply.Done());
        await call.WaitAsync(Patience);
        RunResponse[] told = [.. answers.Told];
        Assert.Equal((7u, "image", 1500L), (told[0].Started.Pid, told[0].Stages[0].Name, told[0].Stages[0].Microseconds));
        Assert.Equal((3u, 0L), (told[1].Exited.Status, told[1].Exited.ExitedAt.Seconds));
        Assert.NotNull(told[2].Removed);
    }

    [Fact]
    public async Task A_refusal_ends_the_call_with_its_error()
    {
        Task call = Serve(new RunRequest { Id = "c" }, new Answers(), FakeCall.In("default"));
        Asked().Asker.Tell(Reply.Refused<Nothing>(Error.NotFound("image \"x\"")));
        Assert.Equal("image \"x\": not found", (await Assert.ThrowsAsync<RefusedException>(() => call.WaitAsync(Patience))).Error.Text);
    }

    [Fact]
    public async Task A_client_that_hangs_up_is_gone_for_the_tree_too()
    {
        using var hangUp = new CancellationTokenSource();
        Task call = Serve(new RunRequest { Id = "c" }, new Answers(), new FakeCall(("containerd-namespace", "default")) { HangUp = hangUp.Token });
        IActorRef asker = Asked().Asker;
        Task gone = asker.WatchAsync();
        await hangUp.CancelAsync();
        await gone.WaitAsync(Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    private Task Serve(RunRequest request, Answers answers, ServerCallContext context) =>
        new RunsService(new Tree(_root, Patience), _system).Run(request, answers, context);

    private (RunCommands.Run Run, IActorRef Asker) Asked() =>
        _asked.TryTake(out (RunCommands.Run Run, IActorRef Asker) asked, Patience) ? asked : throw new TimeoutException("nothing was asked");

    private sealed class Root(BlockingCollection<(RunCommands.Run Run, IActorRef Asker)> asked) : UntypedActor
    {
        protected override void OnReceive(object message) => asked.Add(((RunCommands.Run)message, Sender));
    }

    private sealed class Answers : IServerStreamWriter<RunResponse>
    {
        public ConcurrentQueue<RunResponse> Told { get; } = new();

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(RunResponse message)
        {
            Told.Enqueue(message);
            return Task.CompletedTask;
        }
    }
}
