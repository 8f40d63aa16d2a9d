// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Bundles;
using Containerd.Adoption.V1;
using Containerd.Runtime.Task.V3;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shims.Starting;

/// <summary>Runs a shim's executable: its actions <c>start</c> and <c>delete</c>, and <c>-info</c>.</summary>
public sealed class ShimLauncher(ShimSettings settings) : IDisposable
{
    private static readonly TimeSpan QuestionTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The shims of this daemon as the kernel knows them.</summary>
    public ShimProcesses Processes { get; } = new(settings.GrpcAddress);

    private readonly ConcurrentDictionary<string, Task<ShimKind>> _kinds = new(StringComparer.Ordinal);
    private readonly WaitingShims _waiting = new(settings);

    /// <summary>
    /// Starts the shim of a bundle, or finds the one that already serves its group, records how to find it again, and
    /// connects.
    /// </summary>
    /// <param name="bundle">The bundle, filled.</param>
    /// <param name="binary">Absolute path of the executable.</param>
    /// <param name="options">The runtime's options, if any.</param>
    /// <param name="cancellation">Kills the action; a server it has started already is then left to <see cref="DeleteAsync"/>.</param>
    /// <exception cref="RefusedException">The action failed, with what it printed; or its answer is unusable.</exception>
    /// <exception cref="ShimClosedException">It answered, but nobody listens at the address.</exception>
    public async Task<ShimConnection> StartAsync(Bundle bundle, string binary, Any? options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        var kind = await KindOfAsync(binary).WaitAsync(cancellation).ConfigureAwait(false);
        if (kind.Adopts)
        {
            return await AdoptAsync(bundle, binary, options, cancellation).ConfigureAwait(false);
        }

        var request = Request(bundle, binary, "start", null) with { StandardError = SpawnStream.SameAsOutput };
        var input = Bootstrap.Input(kind.Form, settings, bundle.Namespace, bundle.Id, options);
        var result = await RunAsync(request, input, settings.StartTimeout, "start failed", cancellation).ConfigureAwait(false);
        if (!result.Exit.IsSuccess)
        {
            throw Failed("start failed", result, result.Output, settings.StartTimeout);
        }

        bundle.WriteShimBinary(binary);
        var address = ShimAddress.Parse(result.Output);
        bundle.WriteBootstrap(address);
        return await ShimConnection.ConnectAsync(bundle, address, settings.ConnectTimeout, cancellation).ConfigureAwait(false);
    }

    /// <summary>Connects a bundle to the shim of a sandbox, which serves it from then on, and records that.</summary>
    /// <exception cref="RefusedException">NotImplemented: a protocol or address that is not served.</exception>
    /// <exception cref="ShimClosedException">Nobody listens at the address.</exception>
    public async Task<ShimConnection> JoinAsync(Bundle bundle, string sandboxId, ShimAddress address, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        bundle.WriteSandbox(sandboxId);
        bundle.WriteBootstrap(address);
        return await ShimConnection.ConnectAsync(bundle, address, settings.ConnectTimeout, cancellation).ConfigureAwait(false);
    }

    /// <summary>Runs the <c>delete</c> action, which cleans up after a dead shim; idempotent by contract.</summary>
    /// <returns>The status of the task's first process: 137 if the action had to kill it.</returns>
    /// <exception cref="RefusedException">The action failed, was not done in time, or its answer is unusable.</exception>
    public async Task<DeleteResponse> DeleteAsync(Bundle bundle, string binary, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        var request = Request(bundle, binary, "delete", bundle.Path);
        var result = await RunAsync(request, default, settings.DeleteTimeout, "delete failed", cancellation).ConfigureAwait(false);
        return result.Exit.IsSuccess
            ? Parse(DeleteResponse.Parser, result.Output, binary)
            : throw Failed("delete failed", result, result.ErrorOutput, settings.DeleteTimeout);
    }

    /// <summary>Asks an executable what it can do.</summary>
    /// <exception cref="RefusedException">It failed, as old shims do, or its answer is unusable.</exception>
    public async Task<RuntimeInfo> RuntimeInfoAsync(string binary, Any? options, CancellationToken cancellation = default)
    {
        var request = new SpawnRequest { Path = binary, Arguments = [binary, "-info"], Environment = settings.Environment };
        var result = await RunAsync(request, options?.ToByteArray(), QuestionTimeout, "runtime info failed", cancellation).ConfigureAwait(false);
        return result.Exit.IsSuccess
            ? Parse(RuntimeInfo.Parser, result.Output, binary)
            : throw Failed("runtime info failed", result, result.ErrorOutput, QuestionTimeout);
    }

    /// <summary>What an executable understands; asked once per path and kept. See <see cref="ShimVersion"/>.</summary>
    public async Task<ShimKind> KindOfAsync(string binary)
    {
        try
        {
            return await _kinds.GetOrAdd(binary, AskAsync).ConfigureAwait(false);
        }
        catch
        {
            _kinds.TryRemove(binary, out _);
            throw;
        }
    }

    /// <summary>Ends the shims that wait for a bundle; those that have one go on.</summary>
    public void Dispose() => _waiting.Dispose();

    // The executable is recorded first: whatever happens from then on, its delete action takes back what the shim made.
    private async Task<ShimConnection> AdoptAsync(Bundle bundle, string binary, Any? options, CancellationToken cancellation)
    {
        bundle.WriteShimBinary(binary);
        try
        {
            var (client, answer) = await _waiting.GiveAsync(
                binary,
                new AdoptRequest { Bundle = bundle.Path, Parameters = Bootstrap.Parameters(settings, bundle.Namespace, bundle.Id, options) },
                cancellation).ConfigureAwait(false);
            var address = new ShimAddress(answer.Result.Version, answer.Result.Address, answer.Result.Protocol);
            bundle.WriteBootstrap(address);
            return client is null
                ? await ShimConnection.ConnectAsync(bundle, address, settings.ConnectTimeout, cancellation).ConfigureAwait(false)
                : ShimConnection.Over(bundle, address, client);
        }
        catch (RefusedException refused)
        {
            throw new RefusedException(refused.Error.While("start failed"), refused);
        }
        finally
        {
            _waiting.Refill(binary);
        }
    }

    private static T Parse<T>(MessageParser<T> parser, byte[] answer, string binary)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(answer);
        }
        catch (InvalidProtocolBufferException wrong)
        {
            throw new RefusedException(Error.Unknown($"{binary}: answer is not a message: {wrong.Message}"), wrong);
        }
    }

    private static async Task<ProcessResult> RunAsync(
        SpawnRequest request, ReadOnlyMemory<byte> input, TimeSpan timeout, string doing, CancellationToken cancellation)
    {
        try
        {
            return await ChildProcess.RunAsync(request, input, timeout, cancellation: cancellation).ConfigureAwait(false);
        }
        catch (LinuxException failure)
        {
            throw new RefusedException(failure.Error.ToError().While(doing), failure);
        }
    }

    private static RefusedException Failed(string doing, ProcessResult result, byte[] said, TimeSpan timeout)
    {
        var text = Encoding.UTF8.GetString(said).Trim();
        if (result.IsTimedOut)
        {
            return new RefusedException(new Error(ErrorKind.DeadlineExceeded, $"{doing}: not done after {timeout.TotalSeconds:0.#} s"));
        }

        return new RefusedException(Error.Unknown(text.Length == 0 ? $"{doing}: {result.Exit}" : $"{doing}: {text}: {result.Exit}"));
    }

    private async Task<ShimKind> AskAsync(string binary)
    {
        var request = new SpawnRequest
        {
            Path = binary,
            Arguments = [binary, "-v"],
            Environment = settings.Environment,
            StandardError = SpawnStream.SameAsOutput,
        };
        var result = await RunAsync(request, default, QuestionTimeout, "version failed", CancellationToken.None).ConfigureAwait(false);
        return ShimVersion.KindOf(Path.GetFileName(binary), Encoding.UTF8.GetString(result.Output));
    }

    private SpawnRequest Request(Bundle bundle, string binary, string action, string? bundleFlag) => new()
    {
        Path = binary,
        Arguments = Bootstrap.Arguments(binary, settings, bundle.Namespace, bundle.Id, action, bundleFlag),
        Environment = Bootstrap.Environment(settings, bundle.Namespace),
        WorkingDirectory = bundle.Path,
        IsGroupLeader = true,
    };
}
