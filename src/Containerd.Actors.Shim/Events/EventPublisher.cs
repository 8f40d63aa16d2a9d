// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Threading.Channels;
using Containerd.Actors.Ttrpc;
using Containerd.Services.Events.Ttrpc.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Events;

/// <summary>Publishes events to the daemon, in order, however slow it is.</summary>
/// <remarks>
/// A daemon that is away is tried again; an event that could not be told after that is dropped, as the daemon asks the shim what is
/// true when it is back.
/// </remarks>
internal sealed class EventPublisher : IAsyncDisposable
{
    private const string Service = "containerd.services.events.ttrpc.v1.Events";
    private const int QueueMax = 2048;
    private const int AttemptsMax = 5;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private readonly Channel<Envelope> _queue = Channel.CreateBounded<Envelope>(
        new BoundedChannelOptions(QueueMax) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly string _address;
    private readonly string _namespace;
    private readonly Task _publishing;
    private readonly CancellationTokenSource _stopping = new();
    private TtrpcClient? _daemon;

    /// <summary>Publishes to the daemon's ttrpc address.</summary>
    public EventPublisher(string address, string ns)
    {
        (_address, _namespace) = (address, ns);
        _publishing = Task.Run(PublishAsync);
    }

    /// <summary>A message under its bare name, as containerd's clients want it. Asking the message for its name would load all descriptions.</summary>
    public static Any Pack(string name, IMessage message) => new() { TypeUrl = name, Value = message.ToByteString() };

    /// <summary>Puts an event behind those before it; never waits.</summary>
    /// <param name="kind">Name of the message in <c>containerd.events</c>, which also names the topic: <c>TaskExecAdded</c> is <c>/tasks/exec-added</c>.</param>
    /// <param name="event">The event.</param>
    public void Publish(string kind, IMessage @event) => _queue.Writer.TryWrite(new Envelope
    {
        Timestamp = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
        Namespace = _namespace,
        Topic = TopicOf(kind),
        Event = Pack($"containerd.events.{kind}", @event),
    });

    /// <summary>The topic of an event of a task.</summary>
    internal static string TopicOf(string kind) => kind switch
    {
        nameof(Containerd.Events.TaskOOM) => "/tasks/oom",
        nameof(Containerd.Events.TaskExecAdded) => "/tasks/exec-added",
        nameof(Containerd.Events.TaskExecStarted) => "/tasks/exec-started",
        _ => "/tasks/" + kind["Task".Length..].ToLowerInvariant(),
    };

    /// <summary>Publishes what is queued, for a short time, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        _stopping.CancelAfter(CallTimeout);
        await _publishing.ConfigureAwait(false);
        if (_daemon is not null)
        {
            await _daemon.DisposeAsync().ConfigureAwait(false);
        }

        _stopping.Dispose();
    }

    private async Task PublishAsync()
    {
        try
        {
            await foreach (Envelope envelope in _queue.Reader.ReadAllAsync(_stopping.Token).ConfigureAwait(false))
            {
                await ForwardAsync(envelope).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped with events that nobody took.
        }
    }

    private async Task ForwardAsync(Envelope envelope)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                _daemon ??= await TtrpcClient.ConnectAsync(_address, _stopping.Token).ConfigureAwait(false);
                await _daemon.CallAsync(
                    Service, "Forward", new ForwardRequest { Envelope = envelope }.ToByteString(), CallTimeout, cancellation: _stopping.Token).ConfigureAwait(false);
                return;
            }
            catch (TtrpcStatusException refused) when (refused.Code == TtrpcCode.InvalidArgument)
            {
                // It will be refused again.
                return;
            }
            catch (Exception e) when (e is TtrpcClosedException or TtrpcStatusException or SocketException)
            {
                if (e is not TtrpcStatusException && _daemon is not null)
                {
                    await _daemon.DisposeAsync().ConfigureAwait(false);
                    _daemon = null;
                }

                if (attempt == AttemptsMax)
                {
                    await Console.Error.WriteLineAsync($"event {envelope.Topic} was not taken: {e.Message}").ConfigureAwait(false);
                    return;
                }

                await Task.Delay(TimeSpan.FromSeconds(attempt), _stopping.Token).ConfigureAwait(false);
            }
        }
    }
}
