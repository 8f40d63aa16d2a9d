// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Terminals;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Actors.Client.Stdio;
using Grpc.Core;

namespace Containerd.Actors.Cli.Running;

/// <summary>How a process that cactl runs in view is started, and how its end is heard of.</summary>
internal interface IAttachment
{
    /// <summary>True when the process exists before it is started, so that its terminal can be given a size.</summary>
    bool IsCreated { get; }

    /// <summary>Starts the process; answers when it runs.</summary>
    Task StartAsync();

    /// <summary>Answers when the process has ended. Asked before the start.</summary>
    Task<ProcessExit> WaitAsync();
}

/// <summary>Runs a process in the foreground: its streams, its terminal and its signals are cactl's.</summary>
internal sealed class AttachedProcess(
    IAttachment attachment, TaskProcess process, FifoSet fifos, bool terminal, bool interactive, TimeProvider time)
{
    /// <summary>Starts the process and answers its exit status.</summary>
    /// <param name="signals">What was caught since before the process was created.</param>
    /// <param name="started">Called when the process runs.</param>
    /// <exception cref="RpcException">The process could not be started, or the daemon did not come back.</exception>
    public async Task<int> RunAsync(SignalForwarding signals, Action? started = null)
    {
        StreamCopy output = StreamCopy.Start(fifos.Output, StandardStreams.Output());
        StreamCopy error = StreamCopy.Start(fifos.Error, StandardStreams.Error());
        Task<ProcessExit> exit = attachment.WaitAsync();
        try
        {
            if (terminal && attachment.IsCreated)
            {
                // A container's terminal is there already and has its size from the first moment; an exec's comes with the start.
                await ResizeAsync().ConfigureAwait(false);
            }

            await attachment.StartAsync().ConfigureAwait(false);
            started?.Invoke();
            using RawTerminal? raw = terminal && interactive ? RawTerminal.Enter() : null;
            if (interactive && fifos.OpenInput() is { } input)
            {
                _ = FeedAsync(input);
            }

            fifos.ReleaseWriters();
            if (terminal)
            {
                await ResizeAsync().ConfigureAwait(false);
            }

            using var ended = new CancellationTokenSource();
            Task forwarding = ForwardAsync(signals, ended.Token);
            ProcessExit end = await exit.ConfigureAwait(false);
            await ended.CancelAsync().ConfigureAwait(false);
            await forwarding.ConfigureAwait(false);
            await Task.WhenAll(output.DrainAsync(time), error.DrainAsync(time)).ConfigureAwait(false);
            return end.Status;
        }
        finally
        {
            fifos.ReleaseWriters();
            Forget(exit);
        }
    }

    private static void Forget(Task task) =>
        task.ContinueWith(
            failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private async Task FeedAsync(Stream input)
    {
        await StreamCopy.Start(StandardStreams.Input(), input).Finished.ConfigureAwait(false);
        await input.DisposeAsync().ConfigureAwait(false);
        await IgnoringTheEndAsync(process.CloseStdinAsync(CancellationToken.None)).ConfigureAwait(false);
    }

    private async Task ForwardAsync(SignalForwarding signals, CancellationToken ended)
    {
        try
        {
            await foreach (uint signal in signals.Signals.ReadAllAsync(ended).ConfigureAwait(false))
            {
                if (signal != SignalForwarding.WindowChanged)
                {
                    await IgnoringTheEndAsync(process.KillAsync(signal, all: false, ended)).ConfigureAwait(false);
                }
                else if (terminal)
                {
                    await ResizeAsync().ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }
    }

    private async Task ResizeAsync()
    {
        if ((TerminalSize.OfOutput() ?? TerminalSize.OfInput()) is { } size)
        {
            await IgnoringTheEndAsync(process.ResizeAsync((uint)size.Width, (uint)size.Height, CancellationToken.None))
                .ConfigureAwait(false);
        }
    }

    // The process may end at any time before the call: what the wait says is what counts then.
    private static async Task IgnoringTheEndAsync(Task call)
    {
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (RpcException)
        {
            return;
        }
    }
}
