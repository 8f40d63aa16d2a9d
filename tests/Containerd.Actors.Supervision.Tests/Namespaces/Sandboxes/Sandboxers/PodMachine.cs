// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Shims;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Runtimes;
using Containerd.Actors.Shims.Starting;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Sandboxes.Sandboxers;

/// <summary>Real shims with the sandbox API in directories of their own; disposing ends all of them by id.</summary>
internal sealed class PodMachine : IAsyncDisposable
{
    public const string Ns = "pods-test";
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pods-");
    private readonly ConcurrentQueue<string> _sandboxes = new();
    private readonly ConcurrentQueue<string> _tasks = new();

    public PodMachine()
    {
        Launcher = new ShimLauncher(new ShimSettings
        {
            GrpcAddress = Path.Combine(_directory.FullName, "d.sock"),
            TtrpcAddress = Path.Combine(_directory.FullName, "d.sock.ttrpc"),
            DaemonBinary = "/bin/true",
            Environment = [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => $"{e.Key}={e.Value}")],
        });
        RuntimeCatalogue runtimes = new([], AppContext.BaseDirectory, "/", Launcher);
        Bundles = new BundleRoots(Path.Combine(_directory.FullName, "state"), Path.Combine(_directory.FullName, "root"));
        Sandboxer = new ShimSandboxer(Bundles.OfSandboxes, Launcher, runtimes, Log.Enqueue, TimeProvider.System);
        Shims = new RuntimeShims(Bundles, Launcher, runtimes, UnpackAsync, Log.Enqueue, TimeProvider.System);
    }

    public static SandboxRecord Record { get; } = new("") { RuntimeName = "io.containerd.pod.v1" };

    public ConcurrentQueue<string> Log { get; } = new();

    public BundleRoots Bundles { get; }

    public ShimLauncher Launcher { get; }

    public ShimSandboxer Sandboxer { get; }

    public RuntimeShims Shims { get; }

    public string BundleOf(string id) => Path.Combine(Bundles.State, BundleRoots.SandboxPlugin, Ns, id);

    public Task<ISandbox> CreateAsync(string id, string refuse = "")
    {
        _sandboxes.Enqueue(id);
        SandboxControl.Create create = new(Ns, id, "shim", Caller.Kernel)
        {
            Annotations = refuse.Length == 0 ? Labels.None : Labels.None.Add("refuse", refuse),
        };
        return Sandboxer.CreateAsync(create, Record, CancellationToken.None);
    }

    public Task<CreatedShim> JoinAsync(string id, string sandbox, string address = "", uint version = 0)
    {
        _tasks.Enqueue(id);
        ContainerRecord container = new(id)
        {
            RuntimeName = "io.containerd.pod.v1",
            Spec = new AnyValue("spec", "{\"process\":{\"args\":[\"/bin/sleep\",\"600\"]}}"u8.ToArray()),
            Sandbox = sandbox,
        };
        TaskCommands.Create command = new(Ns, id, ImmutableArray<RootfsMount>.Empty, new ProcessStdio("", "", "", false), Caller.Kernel)
        {
            TaskApiAddress = address, TaskApiVersion = version,
        };
        return Shims.CreateAsync(Ns, new TaskCreation(command, container, Shims.BundleOf(Ns, id)) { SandboxId = sandbox }, CancellationToken.None);
    }

    private static Task UnpackAsync(Digest image, string directory, CancellationToken cancellation)
    {
        Directory.CreateDirectory(directory);
        return File.WriteAllTextAsync(Path.Combine(directory, "image"), image.ToString(), cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string task in _tasks)
        {
            await Shims.UndoAsync(Ns, task, "io.containerd.pod.v1", CancellationToken.None);
        }

        foreach (string sandbox in _sandboxes)
        {
            await Sandboxer.CleanUpAsync(Ns, sandbox, "io.containerd.pod.v1", CancellationToken.None);
        }

        _directory.Delete(recursive: true);
    }
}
