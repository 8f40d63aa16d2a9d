// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Containerd.Actors.Cli.Running;

/// <summary>Catches the signals that are meant for the process and hands them out one by one.</summary>
internal sealed class SignalForwarding : IDisposable
{
    private const int SignalsMax = 64;

    // Raw numbers are legal for PosixSignalRegistration on Unix; those without a name in .NET are USR1 (10) and USR2 (12).
    private static readonly (PosixSignal Signal, uint Number)[] Forwarded =
    [
        (PosixSignal.SIGHUP, 1), (PosixSignal.SIGINT, 2), (PosixSignal.SIGQUIT, 3), (PosixSignal.SIGTERM, 15),
        ((PosixSignal)10, 10), ((PosixSignal)12, 12), (PosixSignal.SIGWINCH, WindowChanged),
    ];

    private readonly Channel<uint> _signals = Channel.CreateBounded<uint>(
        new BoundedChannelOptions(SignalsMax) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly List<PosixSignalRegistration> _registrations = [];

    private SignalForwarding()
    {
        foreach ((PosixSignal signal, uint number) in Forwarded)
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, caught =>
            {
                caught.Cancel = number != WindowChanged;
                _signals.Writer.TryWrite(number);
            }));
        }
    }

    /// <summary>Number of the signal that says that the terminal has another size: not for the process, but for its terminal.</summary>
    public const uint WindowChanged = 28;

    /// <summary>The signals in the order in which they came.</summary>
    public ChannelReader<uint> Signals => _signals.Reader;

    /// <summary>Catches signals from now on.</summary>
    public static SignalForwarding Start() => new();

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _signals.Writer.TryComplete();
    }
}
