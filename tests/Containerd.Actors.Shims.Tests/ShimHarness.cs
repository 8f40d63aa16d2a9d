// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Collections.Concurrent;
using System.Text;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Starting;
using Containerd.Actors.Ttrpc;
using Containerd.Runc.V1;
using Containerd.Runtime.Task.V3;
using Containerd.Services.Events.Ttrpc.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shims.Tests;

/// <summary>A real shim for a busybox container in directories of its own; disposing removes all of it by id.</summary>
internal sealed class ShimHarness : IAsyncDisposable
{
    public const string Namespace = "actors-test";
    public const string Binary = "/usr/bin/containerd-shim-runc-v2";
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("shim-");
    private readonly TtrpcServer _events;
    private readonly LogPump _log;
    private readonly ShimSettings _settings;
    private readonly string _runtime;

    public ShimHarness(string runtime, params string[] arguments)
    {
        _runtime = runtime;
        var daemon = Path.Combine(_directory.FullName, "d.sock");
        _events = new TtrpcServer(new TtrpcHandlers().Add(
            "containerd.services.events.ttrpc.v1.Events", "Forward", ForwardRequest.Parser, (_, request) =>
            {
                Topics.Enqueue(request.Envelope.Topic);
                return Task.FromResult(new Empty());
            }));
        _events.Listen(daemon + ".ttrpc");
        Roots = new BundleRoots(Path.Combine(_directory.FullName, "state"), Path.Combine(_directory.FullName, "root"));
        _settings = new ShimSettings
        {
            GrpcAddress = daemon,
            TtrpcAddress = daemon + ".ttrpc",
            DaemonBinary = "/bin/true",
            Environment = [.. System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => $"{e.Key}={e.Value}")],
        };
        Launcher = new ShimLauncher(_settings);
        Id = "t" + Guid.NewGuid().ToString("n")[..12];
        Bundle = Bundle.Create(Roots, Namespace, Id, Encoding.UTF8.GetBytes(Spec(arguments)));
        var bin = Directory.CreateDirectory(Path.Combine(Rootfs, "bin")).FullName;
        foreach (var name in new[] { "proc", "dev", "sys", "tmp" })
        {
            Directory.CreateDirectory(Path.Combine(Rootfs, name));
        }

        File.Copy("/bin/busybox", Path.Combine(bin, "busybox"));
        foreach (var name in new[] { "sh", "sleep", "cat", "echo" })
        {
            File.CreateSymbolicLink(Path.Combine(bin, name), "busybox");
        }

        foreach (var name in new[] { "in", "out", "err" })
        {
            PipeEnd.CreateFifo(Fifo(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        _log = LogPump.Open(Bundle, LogLines.Enqueue);
    }

    public BundleRoots Roots { get; }

    public string Id { get; }

    public Bundle Bundle { get; }

    public ShimLauncher Launcher { get; }

    public ConcurrentQueue<string> Topics { get; } = new();

    public ConcurrentQueue<string> LogLines { get; } = new();

    public static string? WhyNot(string runtime)
    {
        if (!System.Environment.IsPrivilegedProcess)
        {
            return "needs root";
        }

        var missing = new[] { Binary, "/bin/busybox" }.FirstOrDefault(path => !File.Exists(path))
            ?? (File.Exists($"/usr/bin/{runtime}") || File.Exists($"/usr/sbin/{runtime}") ? null : runtime);
        if (missing is not null)
        {
            return $"{missing} is not installed";
        }

        var isHybrid = Directory.Exists("/sys/fs/cgroup/unified");
        var hasHugetlb = File.ReadLines("/proc/self/mountinfo").Any(line => line.Contains(" /sys/fs/cgroup/hugetlb ", StringComparison.Ordinal));
        return runtime == "crun" && isHybrid && !hasHugetlb
            ? "crun refuses hybrid cgroups until hugetlb is mounted as v1 on /sys/fs/cgroup/hugetlb"
            : null;
    }

    private string Rootfs => Path.Combine(_directory.FullName, "rootfs");

    public string Fifo(string name) => Path.Combine(Bundle.Path, "stdio-" + name);

    public Task<ShimConnection> StartAsync() => Launcher.StartAsync(
        Bundle,
        Binary,
        new Any { TypeUrl = "containerd.runc.v1.Options", Value = new Options { BinaryName = _runtime }.ToByteString() }).WaitAsync(Soon);

    /// <summary>Runs the start action and records nothing, as a daemon does that is killed before the answer.</summary>
    public async Task<ShimAddress> RunStartActionAsync()
    {
        ProcessResult result = await ChildProcess.RunAsync(
            new SpawnRequest
            {
                Path = Binary,
                Arguments = Bootstrap.Arguments(Binary, _settings, Namespace, Id, "start", null),
                Environment = Bootstrap.Environment(_settings, Namespace),
                WorkingDirectory = Bundle.Path,
                IsGroupLeader = true,
            },
            default,
            Soon);
        return ShimAddress.Parse(result.Output);
    }

    /// <summary>Stops reading the shim's log, as the end of the daemon does.</summary>
    public ValueTask StopLogAsync() => _log.DisposeAsync();

    public CreateTaskRequest CreateRequest(bool stdio) => new()
    {
        Id = Id,
        Bundle = Bundle.Path,
        Rootfs = { new Containerd.Types.Mount { Type = "bind", Source = Rootfs, Options = { "rbind", "rw" } } },
        Stdin = stdio ? Fifo("in") : "",
        Stdout = stdio ? Fifo("out") : "",
        Stderr = stdio ? Fifo("err") : "",
        Options = new Any { TypeUrl = "containerd.runc.v1.Options", Value = new Options { BinaryName = _runtime }.ToByteString() },
    };

    public ExecProcessRequest ExecRequest(string execId, params string[] arguments) => new()
    {
        Id = Id,
        ExecId = execId,
        Spec = new Any
        {
            TypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/Process",
            Value = ByteString.CopyFromUtf8(Process(arguments)),
        },
    };

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (Directory.Exists(Bundle.Path))
            {
                try
                {
                    await using var left = await ShimConnection.ConnectAsync(Bundle, Bundle.ReadBootstrap(), TimeSpan.Zero);
                    var shim = await left.Task.ConnectAsync(Soon);
                    using var process = System.Diagnostics.Process.GetProcessById((int)shim.ShimPid);
                    process.Kill();
                    await left.Closed.WaitAsync(Soon);
                }
                catch (Exception gone) when (gone is ShimClosedException or Protocol.Errors.RefusedException or ArgumentException)
                {
                    // It had ended, or never begun.
                }

                await Launcher.DeleteAsync(Bundle, Binary);
            }
        }
        finally
        {
            await _log.DisposeAsync();
            Bundle.Delete();
            await _events.DisposeAsync();
            _directory.Delete(recursive: true);
        }
    }

    private static string Quoted(string[] arguments) => string.Join(',', arguments.Select(argument => $"\"{argument}\""));

    private static string Process(string[] arguments) =>
        $$$"""
        {"cwd":"/","args":[{{{Quoted(arguments)}}}],"env":["PATH=/bin"],"user":{"uid":0,"gid":0}}
        """;

    private string Spec(string[] arguments) =>
        $$$"""
        {"ociVersion":"1.0.2","process":{{{Process(arguments)}}},"root":{"path":"rootfs"},"hostname":"t",
        "mounts":[{"destination":"/proc","type":"proc","source":"proc"},
        {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=755"]}],
        "linux":{"cgroupsPath":"/actors-test-{{{Id}}}","namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"}]}}
        """;
}
