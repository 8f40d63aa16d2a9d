// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Containers;
using Containerd.Actors.Shim.Events;
using Containerd.Actors.Shim.Serving;
using Containerd.Actors.Ttrpc;
using Containerd.Runc.V1;
using Containerd.Runtime.Task.V3;
using Containerd.Services.Events.Ttrpc.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Tests;

/// <summary>The services of a shim on a socket, an OCI runtime whose containers are sleeping processes, and a daemon that hears of events.</summary>
internal sealed class ShimRig : IAsyncDisposable
{
    public const string Ns = "shim-test";
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private const string Sandboxes = "containerd.runtime.sandbox.v1.Sandbox";
    private const string Tasks = "containerd.task.v3.Task";

    // Global flags have values, but for one; the container's id is the last word, save for kill. Every call is noted when
    // it is done. What is frozen feels a signal when it is thawed, and the only one that is sent here kills.
    private const string Script = """
        #!/bin/sh
        while [ "${1#--}" != "$1" ]; do [ "$1" = --systemd-cgroup ] || shift; shift; done
        verb=$1 force= sig=9
        for id; do [ "$id" != --force ] || force=' force'; done
        [ $verb != kill ] || { shift; [ "$1" != --all ] || shift; id=$1 sig=$2; }
        case $verb in
        create) while [ "$1" != --pid-file ]; do shift; done; sleep 600 & echo $! >"$2"; echo $! >"$0.$id.pid" ;;
        pause) touch "$0.$id.frozen" ;;
        kill) [ -e "$0.$id.frozen" ] || kill -$sig "$(cat "$0.$id.pid")" ;;
        resume) rm "$0.$id.frozen"; kill -9 "$(cat "$0.$id.pid")" ;;
        delete) [ ! -p "$0.gate" ] || read -r go <"$0.gate"; [ -z "$force" ] || kill -9 "$(cat "$0.$id.pid")"; rm -f "$0.$id.pid" ;;
        esac
        echo "$verb$force $id" >>"$0.calls"
        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("shim-");
    private readonly ChildProcesses _children = new();
    private readonly ConcurrentQueue<string> _topics = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EventPublisher _events;
    private readonly SandboxService _sandboxes;
    private readonly TtrpcServer _daemon;
    private bool _isTold;
    private readonly TtrpcServer _shim;

    private ShimRig()
    {
        // The runtime leaves its processes to this one; unlike in a shim nobody here reaps what others may wait for.
        Subreaper.Become();
        File.WriteAllText(Runtime, Script);
        File.SetUnixFileMode(Runtime, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        _daemon = new TtrpcServer(new TtrpcHandlers().Add(
            "containerd.services.events.ttrpc.v1.Events", "Forward", ForwardRequest.Parser, (_, request) =>
            {
                _topics.Enqueue(request.Envelope.Topic);
                return Task.FromResult(new Empty());
            }));
        _daemon.Listen(PathOf("daemon"));
        _events = new EventPublisher(PathOf("daemon"), Ns);
        Containers = new ContainerTable(Ns, _children, _events);
        _sandboxes = new SandboxService(Ns, Options, _children, Containers, () => { }, () => _ended.TrySetResult());
        TtrpcHandlers handlers = new();
        new TaskService(Containers, () => Containers.IsEmpty && !_sandboxes.IsThere, () => { }, () => _ended.TrySetResult()).AddTo(handlers);
        _sandboxes.AddTo(handlers);
        _shim = new TtrpcServer(handlers);
        _shim.Listen(PathOf("shim"));
    }

    public Options Options => new() { BinaryName = Runtime, Root = PathOf("state") };

    public ContainerTable Containers { get; }

    public TtrpcClient Client { get; private set; } = null!;

    /// <summary>Completes when the shim would end.</summary>
    public Task Ended => _ended.Task;

    /// <summary>What the OCI runtime was asked, as verb and id.</summary>
    public IReadOnlyList<string> Calls => File.Exists(Runtime + ".calls") ? File.ReadAllLines(Runtime + ".calls") : [];

    private string Runtime => PathOf("runtime");

    public static async Task<ShimRig> StartAsync()
    {
        ShimRig rig = new();
        rig.Client = await TtrpcClient.ConnectAsync(rig.PathOf("shim"));
        return rig;
    }

    /// <summary>A bundle whose spec says so.</summary>
    public string Bundle(string id, string spec = """{"linux":{"namespaces":[{"type":"pid"}]},"process":{"args":["/pause"]}}""")
    {
        string bundle = _directory.CreateSubdirectory(id).FullName;
        Directory.CreateDirectory(Path.Combine(bundle, "rootfs"));
        File.WriteAllText(Path.Combine(bundle, "config.json"), spec);
        return bundle;
    }

    public Task<T> SandboxAsync<T>(string method, IMessage request, MessageParser<T> parser)
        where T : IMessage<T> => CallAsync(Sandboxes, method, request, parser);

    public Task<T> TaskAsync<T>(string method, IMessage request, MessageParser<T> parser)
        where T : IMessage<T> => CallAsync(Tasks, method, request, parser);

    /// <summary>A container that runs.</summary>
    public async Task<uint> RunAsync(string id)
    {
        Any options = new() { TypeUrl = "containerd.runc.v1.Options", Value = Options.ToByteString() };
        CreateTaskRequest create = new() { Id = id, Bundle = Bundle(id), Options = options };
        uint pid = (await TaskAsync("Create", create, CreateTaskResponse.Parser)).Pid;
        await TaskAsync("Start", new StartRequest { Id = id }, StartResponse.Parser);
        return pid;
    }

    /// <summary>Lets the OCI runtime delete nothing until the returned action is called.</summary>
    public Func<Task> HoldDeletions()
    {
        PipeEnd.CreateFifo(Runtime + ".gate", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return () => ShellAsync($"echo go >{Runtime}.gate");
    }

    /// <summary>The events that the daemon has heard of when no more are coming.</summary>
    public async Task<IReadOnlyList<string>> TopicsAsync()
    {
        await TellAsync();
        return [.. _topics];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string file in Directory.EnumerateFiles(_directory.FullName, "*.pid"))
        {
            await ShellAsync($"kill -9 $(cat {file})");
        }

        await Client.DisposeAsync();
        await _shim.DisposeAsync();
        await TellAsync();
        await _daemon.DisposeAsync();
        _sandboxes.Dispose();
        _children.Dispose();
        foreach (DirectoryInfo bundle in _directory.EnumerateDirectories())
        {
            MountTree.Unmount(bundle.FullName);
        }

        _directory.Delete(recursive: true);
    }

    private static Task<ProcessResult> ShellAsync(string command) =>
        ChildProcess.RunAsync(new SpawnRequest { Path = "/bin/sh", Arguments = ["sh", "-c", command] }, default, Patience);

    private async Task TellAsync()
    {
        if (!_isTold)
        {
            _isTold = true;
            await _events.DisposeAsync();
        }
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private async Task<T> CallAsync<T>(string service, string method, IMessage request, MessageParser<T> parser)
        where T : IMessage<T> => parser.ParseFrom(await Client.CallAsync(service, method, request.ToByteString(), Patience));
}
