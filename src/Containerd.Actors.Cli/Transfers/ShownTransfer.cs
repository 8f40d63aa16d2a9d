// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Json;
using Containerd.Actors.Cli.Output;
using Containerd.Actors.Cli.Pulling;
using Containerd.Actors.Cli.Terminals;
using Containerd.Actors.Client.Transfers;
using Containerd.Types.Transfer;
using Grpc.Core;

namespace Containerd.Actors.Cli.Transfers;

/// <summary>Has the daemon move images and shows how it goes: bars on a terminal, lines in a log, JSON on demand.</summary>
/// <param name="session">Where it is shown.</param>
/// <param name="subject">What is moved, for the first line and for errors.</param>
/// <param name="stage">What is done to it, as one word.</param>
/// <param name="isQuiet">True to show nothing: standard output is the archive.</param>
internal sealed class ShownTransfer(Session session, string subject, string stage, bool isQuiet = false)
{
    private const int FallbackWidth = 80;
    private const int FallbackHeight = 24;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly TransferView _view = new(subject, stage);
    private readonly bool _isTerminal = Native.IsTerminal(Native.StandardOutput);
    private readonly ProgressDisplay _display = new(session.Out, Native.IsTerminal(Native.StandardOutput), () =>
    {
        TerminalSize? size = Native.WindowSize(Native.StandardOutput);
        return (size?.Width ?? FallbackWidth, size?.Height ?? FallbackHeight);
    });

    private long _shownAt;

    /// <summary>Does it; answers the names of images that were stored.</summary>
    /// <exception cref="CliFailure">The daemon refused.</exception>
    public async Task<IReadOnlyList<string>> RunAsync(Func<ImageTransfer, Task> transfer)
    {
        try
        {
            await transfer(new ImageTransfer(session.Connection, Take)).ConfigureAwait(false);
        }
        catch (RpcException refused) when (refused.StatusCode != StatusCode.Cancelled)
        {
            throw Failures.Of(refused, subject, session.Connection.Address);
        }

        Show(_view.At("completed"), always: true);
        return _view.Saved;
    }

    /// <summary>Shows how many bytes of an archive have moved; only a terminal is told.</summary>
    public void Moved(long bytes)
    {
        if (_isTerminal && !session.Json)
        {
            lock (_lock)
            {
                Show(_view.At($"{stage} {Sizes.Format(bytes)}"), always: false);
            }
        }
    }

    private void Take(Progress step)
    {
        lock (_lock)
        {
            if (session.Json && !isQuiet)
            {
                JsonOutput.WriteLine(session.Out, TransferDocument.From(step), CliJson.Lines.TransferDocument);
            }

            if (_view.Take(step))
            {
                Show(_view.Current, always: !_isTerminal);
            }
        }
    }

    private void Show(Node.V1.PullProgress view, bool always)
    {
        if (isQuiet || session.Json || (!always && _shownAt != 0 && session.Time.GetElapsedTime(_shownAt) < Interval))
        {
            return;
        }

        _shownAt = session.Time.GetTimestamp();
        _display.Show(view);
    }
}
