// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Shims;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Runtimes;
using Containerd.Actors.Shims.Sandboxes;
using Containerd.Actors.Shims.Starting;
using Containerd.Runtime.Sandbox.V1;
using Containerd.Runtime.Task.V3;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

/// <summary>Sandboxes that a shim with the sandbox API runs, one shim each.</summary>
/// <param name="roots">Where bundles of sandboxes lie.</param>
/// <param name="launcher">Runs shim executables.</param>
/// <param name="runtimes">Names of runtimes.</param>
/// <param name="log">Takes what shims log, line by line.</param>
/// <param name="time">The clock.</param>
public sealed class ShimSandboxer(
    BundleRoots roots, ShimLauncher launcher, RuntimeCatalogue runtimes, Action<string> log, TimeProvider time) : ISandboxer
{
    private const uint StatusUnknown = 255;
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <inheritdoc />
    public string Name => "shim";

    /// <inheritdoc />
    public async Task<ISandbox> CreateAsync(SandboxControl.Create command, SandboxRecord sandbox, CancellationToken cancellationToken)
    {
        (string ns, string id) = (command.Namespace, command.SandboxId);
        string binary = runtimes.BinaryOf(sandbox.RuntimeName);
        AnyValue? options = await runtimes.OptionsOfAsync(sandbox.RuntimeName, sandbox.RuntimeOptions, cancellationToken).ConfigureAwait(false);

        // The journal knows of no sandbox, so what lies there belongs to none.
        await CleanUpAsync(ns, id, sandbox.RuntimeName, cancellationToken).ConfigureAwait(false);
        Bundle bundle = await Task.Run(
            () => Bundle.Create(roots, ns, id, sandbox.Spec is { } spec ? spec.Value.Span : default), cancellationToken).ConfigureAwait(false);
        LogPump? pump = null;
        ShimConnection? connection = null;
        try
        {
            pump = LogPump.Open(bundle, log);
            connection = await While(
                $"failed to start new shim for sandbox {id}", launcher.StartAsync(bundle, binary, ToAny(options), cancellationToken)).ConfigureAwait(false);
            SandboxClient client = new(connection);
            await While($"failed to create sandbox {id}", MakeAsync(client, bundle, command, cancellationToken)).ConfigureAwait(false);
            return new ShimSandbox(connection, client, pump, this);
        }
        catch
        {
            await ReleaseAsync(connection, pump).ConfigureAwait(false);
            await TakeBackAsync(ns, id, sandbox.RuntimeName).ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc />
    public async Task<ISandbox?> LoadAsync(string ns, string id, CancellationToken cancellationToken)
    {
        if (Bundle.TryLoad(roots, ns, id) is not { } bundle)
        {
            return null;
        }

        LogPump? pump = null;
        ShimConnection? connection = null;
        try
        {
            pump = LogPump.Open(bundle, log);
            connection = await ShimConnection.ConnectAsync(bundle, bundle.ReadBootstrap(), TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
            SandboxClient client = new(connection);
            await client.PingAsync(cancellationToken).ConfigureAwait(false);
            ShimSandbox sandbox = new(connection, client, pump, this);
            (connection, pump) = (null, null);
            return sandbox;
        }
        catch (Exception e) when (IsGone(e))
        {
            return null;
        }
        finally
        {
            await ReleaseAsync(connection, pump).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public async Task<SandboxExit> CleanUpAsync(string ns, string id, string runtimeName, CancellationToken cancellationToken)
    {
        SandboxExit exit = new(StatusUnknown, time.GetUtcNow());
        if (Bundle.TryLoad(roots, ns, id) is not { } bundle)
        {
            return exit;
        }

        await using (LogPump.OpenIfThere(bundle, log).ConfigureAwait(false))
        {
            await EndAsync(bundle, cancellationToken).ConfigureAwait(false);
            try
            {
                if (BinaryOf(bundle, runtimeName) is { } binary)
                {
                    DeleteResponse told = await launcher.DeleteAsync(bundle, binary, cancellationToken).ConfigureAwait(false);
                    exit = new SandboxExit(told.ExitStatus, ToMoment(told.ExitedAt) ?? exit.ExitedAt);
                }
            }
            catch (RefusedException refused)
            {
                log($"clean-up of {bundle.Path}: {refused.Error.Text}");
            }

            // A start that an earlier daemon left running may have made a second server, or still be about to.
            int strays = await Task.Run(() => launcher.Processes.Kill(ns, id), cancellationToken).ConfigureAwait(false);
            if (strays > 0)
            {
                log($"{bundle.Path}: ended {strays} shims that would have outlived it");
            }

            await Task.Run(bundle.Delete, cancellationToken).ConfigureAwait(false);
        }

        return exit;
    }

    internal static DateTimeOffset? ToMoment(Timestamp? at) => at is null or { Seconds: <= 0 } ? null : at.ToDateTimeOffset();

    internal static async Task<T> While<T>(string doing, Task<T> work)
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

    private static async Task<bool> MakeAsync(SandboxClient client, Bundle bundle, SandboxControl.Create command, CancellationToken cancellationToken)
    {
        CreateSandboxRequest request = new()
        {
            SandboxId = command.SandboxId,
            BundlePath = bundle.Path,
            Options = ToAny(command.Options),
            NetnsPath = command.NetworkNamespace,
            Annotations = { command.Annotations },
        };
        foreach (RootfsMount mount in command.Rootfs)
        {
            request.Rootfs.Add(new Mount { Type = mount.Type, Source = mount.Source, Target = mount.Target, Options = { mount.Options } });
        }

        await client.CreateAsync(request, cancellationToken).ConfigureAwait(false);
        return true;
    }

    // The shim is asked to end by itself first: it may hold more than a process.
    private async Task EndAsync(Bundle bundle, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ShutdownTimeout);
        try
        {
            ShimConnection connection =
                await ShimConnection.ConnectAsync(bundle, bundle.ReadBootstrap(), TimeSpan.Zero, limit.Token).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                await new SandboxClient(connection).ShutdownAsync(limit.Token).ConfigureAwait(false);
                await connection.Closed.WaitAsync(limit.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            log($"{bundle.Path}: its shim did not end within {ShutdownTimeout.TotalSeconds:0} s");
        }
        catch (Exception e) when (IsGone(e) || e is RefusedException)
        {
            // Nobody listens, or it knows of no sandbox: what is left of it is ended by its command line.
        }
    }

    private string? BinaryOf(Bundle bundle, string runtimeName)
    {
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
            await CleanUpAsync(ns, id, runtimeName, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RefusedException or OperationCanceledException or IOException or LinuxException)
        {
            // The next creation under this id begins by taking back what is left.
            log($"taking back sandbox {ns}/{id}: {e.Message}");
        }
    }

    private static bool IsGone(Exception e) =>
        e is ShimClosedException or IOException or LinuxException or RefusedException { Error.Kind: ErrorKind.NotFound };

    private static async Task ReleaseAsync(params IAsyncDisposable?[] held)
    {
        foreach (IAsyncDisposable? each in held)
        {
            if (each is not null)
            {
                await each.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private static Any? ToAny(AnyValue? value) =>
        value is null ? null : new Any { TypeUrl = value.TypeUrl, Value = ByteString.CopyFrom(value.Value.Span) };
}
