// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Linux.Terminals;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Stdio;
using Containerd.Actors.Ttrpc;
using Containerd.Runc.V1;
using Google.Protobuf.WellKnownTypes;
using Status = Containerd.V1.Types.Status;

namespace Containerd.Actors.Shim.Containers;

/// <summary>How a process ended, and when.</summary>
internal readonly record struct Ending(uint Status, Timestamp? At)
{
    /// <summary>Of a process that never ran.</summary>
    public static Ending Never { get; } = new(0, null);
}

/// <summary>One process of a container: its first, or one that was added.</summary>
/// <remarks>
/// <code>
/// created --Start--> running --exit--> stopped --Delete--> (gone)
///    +-------------- killed -------------^
/// </code>
/// Its end is kept until it is deleted, however long the daemon is away.
/// </remarks>
internal sealed class ShimProcess(string id, StdioRequest stdio) : IDisposable
{
    private static readonly TimeSpan ConsoleTimeout = TimeSpan.FromSeconds(30);
    private readonly TaskCompletionSource<Ending> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ProcessStreams? _streams;
    private TerminalStreams? _terminal;
    private ChildProcess? _child;

    /// <summary>Held while the process is started, deleted or told to have ended: their events keep their order.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>Container id of the first process, exec id of another.</summary>
    public string Id { get; } = id;

    /// <summary>Where its streams go.</summary>
    public StdioRequest Stdio { get; } = stdio;

    /// <summary>Number as the host sees it; 0 before there is one.</summary>
    public uint Pid => (uint)(_child?.Pid ?? 0);

    /// <summary>What it is at.</summary>
    public Status Status { get; private set; } = Status.Created;

    /// <summary>Completes when it has ended and its end was told.</summary>
    public Task<Ending> Ended => _ended.Task;

    /// <summary>Whether it has a process that has not ended.</summary>
    public bool IsAlive => _child is not null && Status != Status.Stopped;

    /// <summary>Opens the streams, runs the OCI runtime, and takes over the process whose number it left.</summary>
    /// <param name="run">Runs the runtime on the streams with a console socket, if any.</param>
    /// <param name="bundle">Where the number is.</param>
    /// <param name="pidFile">Name of the file with the number.</param>
    /// <param name="context">Whose process it is.</param>
    public async Task BeginAsync(Func<ProcessStreams, string?, Task> run, string bundle, string pidFile, ProcessContext context)
    {
        using IDisposable hold = context.Children.Hold();
        if (Stdio.IsTerminal)
        {
            using ConsoleSocket console = new();
            using CancellationTokenSource limit = new(ConsoleTimeout);
            Task<TerminalStreams> receiving = TerminalStreams.OpenAsync(console, Stdio, limit.Token);
            try
            {
                using ProcessStreams none = ProcessStreams.None();
                await run(none, console.Path).ConfigureAwait(false);
                _terminal = await receiving.ConfigureAwait(false);
            }
            catch
            {
                await limit.CancelAsync().ConfigureAwait(false);
                await ForgetAsync(receiving).ConfigureAwait(false);
                throw;
            }
        }
        else
        {
            _streams = await ProcessStreams.OpenAsync(Stdio, context.Options, context.Namespace, context.ContainerId, context.Children).ConfigureAwait(false);
            await run(_streams, null).ConfigureAwait(false);
            _streams.Handed();
        }

        _child = context.Children.Take((int)BundleFiles.ReadPid(bundle, pidFile));
    }

    /// <summary>It runs.</summary>
    public void Started() => Status = Status.Running;

    /// <summary>It was frozen or thawed.</summary>
    public void Became(Status status) => Status = status;

    /// <summary>How the process ended, as the kernel tells; waits for that and for what it wrote to a terminal.</summary>
    public async Task<Ending> ExitAsync()
    {
        uint status;
        try
        {
            status = (uint)(await _child!.Exited.ConfigureAwait(false)).Status;
        }
        catch (LinuxException)
        {
            // Reaped by nobody knows whom.
            status = 255;
        }

        Ending ending = new(status, Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()));
        if (_terminal is not null)
        {
            await _terminal.DrainAsync().ConfigureAwait(false);
        }

        return ending;
    }

    /// <summary>Keeps the end for whoever asks; lets go of the streams.</summary>
    public void End(Ending ending)
    {
        Status = Status.Stopped;
        _streams?.Dispose();
        _terminal?.Dispose();
        _ended.TrySetResult(ending);
    }

    /// <summary>Sends a signal past the OCI runtime.</summary>
    /// <exception cref="TtrpcStatusException">NotFound: it has ended.</exception>
    public void Kill(uint signal)
    {
        if (_child?.Kill((int)signal) != true)
        {
            throw Gone;
        }
    }

    /// <summary>Sets the size of its terminal; without one nothing happens.</summary>
    public void Resize(uint width, uint height) => _terminal?.Resize(width, height);

    /// <summary>Lets its standard input end.</summary>
    public void CloseInput()
    {
        _streams?.CloseInput();
        _terminal?.CloseInput();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _streams?.Dispose();
        _terminal?.Dispose();
        _child?.Dispose();
        _ended.TrySetResult(Ending.Never);
    }

    /// <summary>The refusal of what needs a living process.</summary>
    public static TtrpcStatusException Gone => new(TtrpcCode.NotFound, "process already finished: not found");

    private static async Task ForgetAsync(Task<TerminalStreams> receiving)
    {
        try
        {
            (await receiving.ConfigureAwait(false)).Dispose();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or LinuxException or System.Net.Sockets.SocketException)
        {
            // No terminal came, which is what the caller is told of.
        }
    }
}

/// <summary>What processes of one container share.</summary>
internal sealed record ProcessContext(string Namespace, string ContainerId, Options Options, ChildProcesses Children);
