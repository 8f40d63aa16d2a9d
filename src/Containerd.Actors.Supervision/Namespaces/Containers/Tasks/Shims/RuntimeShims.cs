// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Shims;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Removing;
using Containerd.Actors.Shims.Runtimes;
using Containerd.Actors.Shims.Starting;
using Containerd.Runtime.Task.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mount = Containerd.Types.Mount;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>Real shims: runtime v2 binaries with bundles on disk, spoken to over ttrpc.</summary>
/// <param name="roots">Where bundles lie.</param>
/// <param name="launcher">Runs shim executables.</param>
/// <param name="runtimes">Names of runtimes.</param>
/// <param name="unpack">Extracts a stored image of processes into a directory.</param>
/// <param name="log">Takes what shims log, line by line.</param>
/// <param name="time">The clock.</param>
public sealed class RuntimeShims(
    BundleRoots roots, ShimLauncher launcher, RuntimeCatalogue runtimes, Func<Digest, string, CancellationToken, Task> unpack, Action<string> log, TimeProvider time) : IShims
{
    private const uint StatusUnknown = 255;
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromSeconds(15);
    private readonly ShimRemoval _removal = new(roots, launcher, log);
    private readonly ShimEndings _endings = new(log, time);

    /// <inheritdoc />
    public string BundleOf(string ns, string id) => Path.Combine(roots.State, BundleRoots.Plugin, ns, id);

    /// <inheritdoc />
    public async Task<CreatedShim> CreateAsync(string ns, TaskCreation creation, CancellationToken cancellationToken)
    {
        string id = creation.Container.Id;
        ShimAddress? sandbox = SandboxAddresses.Of(roots, ns, creation);
        string binary = sandbox is null ? runtimes.BinaryOf(creation.RuntimeName) : "";
        AnyValue? options = await runtimes.OptionsOfAsync(creation.RuntimeName, creation.Options, cancellationToken).ConfigureAwait(false);
        AnyValue? spec = creation.Container.Spec;

        // The journal knows of no task, so what lies there belongs to none.
        await UndoAsync(ns, id, creation.RuntimeName, cancellationToken).ConfigureAwait(false);
        Bundle bundle = await Task.Run(
            () => Bundle.Create(roots, ns, id, spec is null ? default : spec.Value.Span, RootGroup(spec)), cancellationToken).ConfigureAwait(false);
        LogPump? pump = null;
        ShimConnection? connection = null;
        try
        {
            if (creation.Command.Checkpoint is { } image)
            {
                await unpack(image.Digest, CheckpointOf(bundle), cancellationToken).ConfigureAwait(false);
            }

            pump = LogPump.Open(bundle, log);
            connection = await While("failed to start shim", sandbox is null
                ? launcher.StartAsync(bundle, binary, ToAny(options), cancellationToken)
                : launcher.JoinAsync(bundle, creation.SandboxId, sandbox, cancellationToken)).ConfigureAwait(false);
            CreateTaskResponse created = await While(
                "failed to create shim task",
                connection.Task.CreateAsync(Request(bundle, creation, options), Timeout.InfiniteTimeSpan, cancellationToken)).ConfigureAwait(false);
            return new CreatedShim(new RuntimeShim(connection, pump, _endings), created.Pid);
        }
        catch
        {
            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }

            if (pump is not null)
            {
                await pump.DisposeAsync().ConfigureAwait(false);
            }

            await TakeBackAsync(ns, id, creation.RuntimeName).ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc />
    public async Task<IShim?> LoadAsync(string ns, string id, CancellationToken cancellationToken)
    {
        if (Bundle.TryLoad(roots, ns, id) is not { } bundle)
        {
            return null;
        }

        LogPump? pump = null;
        try
        {
            pump = LogPump.Open(bundle, log);
            ShimConnection connection = await ShimConnection.LoadAsync(bundle, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
            RuntimeShim shim = new(connection, pump, _endings);
            pump = null;
            return shim;
        }
        catch (ShimClosedException)
        {
            return null;
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or LinuxException)
        {
            return null;
        }
        finally
        {
            if (pump is not null)
            {
                await pump.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc />
    public async Task UndoAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken)
    {
        await _endings.WaitAsync(ns, id, cancellationToken).ConfigureAwait(false);
        if (Bundle.TryLoad(roots, ns, id) is not { } bundle)
        {
            return;
        }

        await _removal.UndoAsync(bundle, BinaryOf(bundle, runtimeName), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public async Task<ProcessExit> CleanUpAsync(string ns, string id, CancellationToken cancellationToken)
    {
        DeleteResponse? told = Bundle.TryLoad(roots, ns, id) is { } bundle
            ? await _removal.CleanUpAsync(bundle, BinaryOf(bundle, ""), cancellationToken).ConfigureAwait(false)
            : null;
        DateTimeOffset now = time.GetUtcNow();
        return told is null
            ? new ProcessExit(0, StatusUnknown, now)
            : new ProcessExit(told.Pid, told.ExitStatus, RuntimeShim.ToMoment(told.ExitedAt) ?? now);
    }

    /// <inheritdoc />
    public void RemoveStrays(string ns, Func<string, bool> isKnown)
    {
        foreach (string id in Bundle.Remains(roots, ns).Where(id => !_endings.Has(ns, id)))
        {
            _endings.Add(ns, id, () => Task.Run(() => Bundle.RemoveRemains(roots, ns, id)));
        }

        foreach (Bundle bundle in Bundle.List(roots).Where(each => each.Namespace == ns && !isKnown(each.Id) && !_endings.Has(ns, each.Id)))
        {
            _endings.Add(ns, bundle.Id, () => _removal.RemoveStrayAsync(bundle, BinaryOf(bundle, ""), CancellationToken.None));
        }
    }

    private string? BinaryOf(Bundle bundle, string runtimeName)
    {
        if (bundle.IsSandboxed)
        {
            return null;
        }

        try
        {
            return bundle.ReadShimBinary() ?? (runtimeName.Length > 0 ? runtimes.BinaryOf(runtimeName) : null);
        }
        catch (RefusedException)
        {
            return null;
        }
    }

    private async Task TakeBackAsync(string ns, string id, string runtimeName)
    {
        using CancellationTokenSource limit = new(UndoTimeout, time);
        try
        {
            await UndoAsync(ns, id, runtimeName, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RefusedException or OperationCanceledException or IOException or LinuxException)
        {
            // The next creation under this id begins by taking back what is left.
            log($"taking back {ns}/{id}: {e.Message}");
        }
    }

    private static async Task<T> While<T>(string doing, Task<T> work)
    {
        try
        {
            return await work.ConfigureAwait(false);
        }
        catch (RefusedException refused)
        {
            throw new RefusedException(refused.Error.While(doing), refused);
        }
        catch (ShimClosedException closed)
        {
            throw new RefusedException(Error.Unknown("ttrpc: closed").While(doing), closed);
        }
    }

    // It is read when the task is started, and goes with the bundle.
    private static string CheckpointOf(Bundle bundle) => Path.Combine(bundle.WorkPath, "checkpoint");

    private static CreateTaskRequest Request(Bundle bundle, TaskCreation creation, AnyValue? options)
    {
        TaskCommands.Create command = creation.Command;
        CreateTaskRequest request = new()
        {
            Id = bundle.Id,
            Bundle = bundle.Path,
            Terminal = command.Stdio.Terminal,
            Stdin = command.Stdio.Stdin,
            Stdout = command.Stdio.Stdout,
            Stderr = command.Stdio.Stderr,
            Checkpoint = command.Checkpoint is null ? command.CheckpointPath : CheckpointOf(bundle),
            Options = ToAny(options),
        };
        foreach (RootfsMount mount in command.Rootfs)
        {
            request.Rootfs.Add(new Mount { Type = mount.Type, Source = mount.Source, Target = mount.Target, Options = { mount.Options } });
        }

        return request;
    }

    private static Any? ToAny(AnyValue? value) =>
        value is null ? null : new Any { TypeUrl = value.TypeUrl, Value = ByteString.CopyFrom(value.Value.Span) };

    // The host's group for the container's group 0; a spec that is not JSON has none.
    private static uint RootGroup(AnyValue? spec)
    {
        if (spec is null || spec.Value.IsEmpty)
        {
            return 0;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(spec.Value);
            bool isMapped = document.RootElement.TryGetProperty("linux", out JsonElement linux)
                && linux.ValueKind == JsonValueKind.Object && linux.TryGetProperty("gidMappings", out JsonElement mappings)
                && mappings.ValueKind == JsonValueKind.Array;
            if (isMapped)
            {
                foreach (JsonElement mapping in linux.GetProperty("gidMappings").EnumerateArray())
                {
                    if (mapping.GetProperty("containerID").GetUInt32() == 0)
                    {
                        return mapping.GetProperty("hostID").GetUInt32();
                    }
                }
            }

            return 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return 0;
        }
    }
}
